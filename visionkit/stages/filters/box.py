"""``filter.box``: mean filter."""

from __future__ import annotations

from pydantic import Field

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams


class BoxParams(StageParams):
    size: int = Field(5, ge=1, le=1024, description="Side of the window in pixels.")


class Box(MapStage[BoxParams]):
    """Replaces every pixel by the mean of the square window around it.

    The fastest blur: its cost does not grow with the size. Beyond the edge the picture is mirrored.

    Example:
        - filter.box: {size: 5}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        size = self.params.size
        if image.device:
            return image.placed(cuda_filters.box(image.tensor(image.device, "native"), size))
        return image.replaced(cv2.blur(image.native(), (size, size)))
