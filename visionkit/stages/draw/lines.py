"""``draw.lines``: straight segments."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Image, Lines
from visionkit.data.geometry import pixel_indices
from visionkit.lazy import cv2
from visionkit.stage import Color, MapStage, StageParams
from visionkit.stages.draw._style import canvas_copy, line_width


class LinesParams(StageParams):
    color: Color = Field("red", validate_default=True, description="Of the lines.")
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the lines; None suits the picture.")


class DrawLines(MapStage[LinesParams]):
    """Draws every segment, as ``hough.lines`` finds them.

    Example:
        - draw.lines: {color: cyan, thickness: 2}
    """

    def run(self, image: Annotated | Image, lines: Lines) -> Annotated:
        pixels = canvas_copy(image)
        ends = pixel_indices(lines.on(image.canvas).ends)
        width, color = line_width(image, self.params.thickness), self.params.color[::-1]
        for x1, y1, x2, y2 in ends.tolist():
            cv2.line(pixels, (x1, y1), (x2, y2), color, width, cv2.LINE_AA)
        return image.annotated(pixels)
