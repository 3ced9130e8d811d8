"""``draw.sidebyside``: two pictures in one, before and after."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Annotated, Canvas, Image
from visionkit.stage import Color, MapStage, StageContext, StageParams
from visionkit.stages.draw._grid import grid
from visionkit.stages.draw._text import Lettering


class SideBySideParams(StageParams):
    direction: Literal["across", "down"] = Field("across", description='"across" or "down".')
    titles: tuple[str, str] | None = Field(None, description='A title on each, such as ["before", "after"].')
    gap: int = Field(4, ge=0, le=200, description="Pixels between the two.")
    color: Color = Field("white", validate_default=True, description="Of the gap.")


class DrawSideBySide(MapStage[SideBySideParams]):
    """Puts two pictures side by side, the second fitted into a cell of the size of the first.

    Say which with ``in: [source, style]``. The result has no place in the source frame, so draw before it.

    Example:
        - draw.sidebyside: {in: [source, style], titles: [before, after]}
    """

    detaches = True

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering()

    def run(self, image: Annotated | Image, other: Image | Annotated) -> Annotated:
        p = self.params
        columns = 2 if p.direction == "across" else 1
        pixels = grid([image, other], columns, p.gap, p.color[::-1], p.titles or (), self._lettering)
        return Annotated(pixels, "bgr", Canvas.detached(pixels.shape[1], pixels.shape[0]))
