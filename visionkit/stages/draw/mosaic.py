"""``draw.mosaic``: several pictures in a grid."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from visionkit.data import ABSENT, Annotated, Canvas, Image
from visionkit.stage import Color, MapStage, StageContext, StageParams
from visionkit.stages.draw._grid import grid
from visionkit.stages.draw._text import Lettering


class MosaicParams(StageParams):
    columns: int = Field(2, ge=1, le=16, description="Pictures beside one another.")
    titles: tuple[str, ...] = Field((), description="A title on each, in order.")
    gap: int = Field(4, ge=0, le=200, description="Pixels between them.")
    color: Color = Field("white", validate_default=True, description="Of the gaps.")


class DrawMosaic(MapStage[MosaicParams]):
    """Puts several pictures into a grid, row by row, each fitted into a cell of the size of the first.

    Say which with ``in: [source, edges, heat]``. The result has no place in the source frame, so draw before it.

    Example:
        - draw.mosaic: {in: [source, edges, heat], columns: 3, titles: [photo, edges, heat]}
    """

    detaches = True

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering()

    def run(self, images: tuple[Annotated | Image, ...]) -> Annotated:
        if not images:  # all of them were absent on this frame
            return cast(Annotated, ABSENT)
        p = self.params
        pixels = grid(list(images), p.columns, p.gap, p.color[::-1], p.titles, self._lettering)
        return Annotated(pixels, "bgr", Canvas.detached(pixels.shape[1], pixels.shape[0]))
