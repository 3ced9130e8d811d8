"""``filter.invert``: the negative."""

from __future__ import annotations

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams


class InvertParams(StageParams):
    """None."""


class Invert(MapStage[InvertParams]):
    """Turns the picture into its negative: ``255 − in``.

    Example:
        - filter.invert
    """

    on_device = True

    def run(self, image: Image) -> Image:
        if image.device:
            return image.placed(255 - image.tensor(image.device, "native"))
        return image.replaced(cv2.bitwise_not(image.native()))
