"""``draw.pixelate``: objects made unrecognisable by large pixels."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams
from visionkit.stages.draw._regions import Shape, regions
from visionkit.stages.draw._style import canvas_copy


class PixelateParams(StageParams):
    blocks: int = Field(8, ge=1, le=256, description="Blocks along the object's shorter side.")
    shape: Shape = Field("auto", description='"auto" (masks and outlines where there are any), "box" or "ellipse".')


class DrawPixelate(MapStage[PixelateParams]):
    """Replaces every object by a few large blocks, for privacy. Stages that take the clean picture still see it sharp.

    A frame on which the objects are absent passes as it is: put a tracker between a detector with ``every`` and this.

    Example:
        - draw.pixelate: {blocks: 6}
    """

    hides = True

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        for _, window, bitmap in regions(objects.on(image.canvas), image.canvas, self.params.shape):
            area = pixels[window]
            height, width = area.shape[:2]
            block = max(1, min(height, width) / self.params.blocks)
            size = max(1, round(width / block)), max(1, round(height / block))
            small = cv2.resize(area, size, interpolation=cv2.INTER_AREA)
            cv2.copyTo(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), bitmap, area)
        return image.annotated(pixels)
