"""``draw.masks``: each object's pixels tinted."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, Probability, StageParams
from visionkit.stages.draw._regions import regions, tint
from visionkit.stages.draw._style import ColorBy, canvas_copy, line_width, row_colors


class MasksParams(StageParams):
    opacity: Probability = Field(0.45, description="How much of the colour covers the picture.")
    color: ColorBy = Field("auto", description='"class", "track", "auto" (by track if there are any), or a colour.')
    outline: bool = Field(True, description="Draw the edge of each mask as well.")
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the edge; None suits the picture.")


class DrawMasks(MapStage[MasksParams]):
    """Tints the pixels of every object: its mask, or its outline or box filled where it has none.

    Example:
        - draw.masks: {opacity: 0.3, color: class}
    """

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        here = objects.on(image.canvas)
        colors = row_colors(here, self.params.color)
        width = line_width(image, self.params.thickness)
        for row, window, bitmap in regions(here, image.canvas):
            area = pixels[window]
            tint(area, bitmap, colors[row], self.params.opacity)
            if self.params.outline:
                edges = cv2.findContours(bitmap, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
                cv2.drawContours(area, edges, -1, colors[row], width)
        return image.annotated(pixels)
