"""``draw.polygons``: the outline of every object."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, Probability, StageParams
from visionkit.stages.draw._regions import outline, regions, tint
from visionkit.stages.draw._style import ColorBy, canvas_copy, line_width, row_colors


class PolygonsParams(StageParams):
    color: ColorBy = Field("auto", description='"class", "track", "auto" (by track if there are any), or a colour.')
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the lines; None suits the picture.")
    fill: Probability = Field(0.0, description="How much of the colour covers the inside.")


class DrawPolygons(MapStage[PolygonsParams]):
    """Draws the outline of every object: its polygon, the edge of its mask, its rotated box or its box.

    Example:
        - draw.polygons: {fill: 0.2}
    """

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        here = objects.on(image.canvas)
        colors = row_colors(here, self.params.color)
        width = line_width(image, self.params.thickness)
        edges_of_masks = here.polygons is None and here.masks is not None
        if self.params.fill or edges_of_masks:
            for row, window, bitmap in regions(here, image.canvas):
                if self.params.fill:
                    tint(pixels[window], bitmap, colors[row], self.params.fill)
                if edges_of_masks:
                    edges = cv2.findContours(bitmap, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
                    cv2.drawContours(pixels[window], edges, -1, colors[row], width)
        if not edges_of_masks:
            for points, color in zip(here.outlines(), colors, strict=True):
                outline(pixels, points, color, width)
        return image.annotated(pixels)
