"""``draw.blur``: objects made unrecognisable by blurring."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams
from visionkit.stages.draw._regions import Shape, regions
from visionkit.stages.draw._style import canvas_copy


class BlurParams(StageParams):
    strength: float = Field(0.3, gt=0, le=2, description="Width of the blur, in shares of the object's shorter side.")
    shape: Shape = Field("auto", description='"auto" (masks and outlines where there are any), "box" or "ellipse".')


class DrawBlur(MapStage[BlurParams]):
    """Blurs every object, for privacy. Later stages that take the clean picture still see it sharp.

    A frame on which the objects are absent passes as it is: put a tracker between a detector with ``every`` and this.

    Example:
        - draw.blur: {shape: ellipse}
    """

    hides = True

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        for _, window, bitmap in regions(objects.on(image.canvas), image.canvas, self.params.shape):
            area = pixels[window]
            size = max(3, round(min(area.shape[:2]) * self.params.strength)) | 1
            blurred = area
            for _ in range(3):  # three box blurs are nearly a Gaussian one, at any size for the same price
                blurred = cv2.blur(blurred, (size, size))
            cv2.copyTo(blurred, bitmap, area)
        return image.annotated(pixels)
