"""``filter.median``: median filter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, OddInt, StageParams


class MedianParams(StageParams):
    size: Annotated[OddInt, Field(le=255)] = Field(5, description="Side of the window in pixels, odd.")


class Median(MapStage[MedianParams]):
    """Replaces every pixel by the median of the square window around it, channel by channel.

    Removes salt-and-pepper noise and keeps edges sharp. Beyond the edge the border pixels are repeated.

    Example:
        - filter.median: {size: 5}
    """

    def run(self, image: Image) -> Image:
        return image.replaced(cv2.medianBlur(image.native(), self.params.size))
