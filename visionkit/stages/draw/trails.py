"""``draw.trails``: the way of every track."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.stage import ScanStage, StageContext, StageParams
from visionkit.stages.draw._style import ColorBy, canvas_copy, line_width
from visionkit.stages.draw._trails import Trails


class TrailsParams(StageParams):
    frames: int = Field(30, ge=2, le=10_000, description="How many frames back the ways reach.")
    color: ColorBy = Field("auto", description='"class", "track", "auto" (by track), or a colour.')
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the lines; None suits the picture.")


class DrawTrails(ScanStage[TrailsParams]):
    """Draws where the centre of every track was over the last frames; older parts are thinner.

    Example:
        - draw.trails: {frames: 60}
    """

    def open(self, context: StageContext) -> None:
        self._trails = Trails(self.params.frames)

    def reset(self) -> None:
        self._trails = Trails(self.params.frames)

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        self._trails.add(objects)
        self._trails.draw(pixels, image.canvas, self.params.color, line_width(image, self.params.thickness))
        return image.annotated(pixels)
