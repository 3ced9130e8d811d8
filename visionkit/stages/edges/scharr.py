"""``edges.scharr``: gradient by Scharr's operator."""

from __future__ import annotations

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage
from visionkit.stages.edges._gradient import GradientParams, gradient_picture


class ScharrParams(GradientParams):
    """Those of every gradient."""


class Scharr(MapStage[ScharrParams]):
    """Shows how steeply the grey level changes, more evenly in all directions than a 3×3 Sobel kernel.

    H. Scharr, Optimal Operators in Digital Image Processing, 2000: weights 3, 10, 3, so the result is four times
    Sobel's; lower ``gain`` to compare.

    Example:
        - edges.scharr: {gain: 0.25}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        return gradient_picture(image, lambda gray, dx, dy: cv2.Scharr(gray, cv2.CV_32F, dx, dy), self.params, -1)
