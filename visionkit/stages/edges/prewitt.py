"""``edges.prewitt``: gradient by Prewitt's operator."""

from __future__ import annotations

from typing import Any

from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage
from visionkit.stages.edges._gradient import GradientParams, gradient_picture


class PrewittParams(GradientParams):
    """Those of every gradient."""


class Prewitt(MapStage[PrewittParams]):
    """Shows how steeply the grey level changes: the difference of the means of the three pixels on either side.

    J. Prewitt, Object Enhancement and Extraction, 1970: weights 1, 1, 1, so the result is three times the difference.

    Example:
        - edges.prewitt
    """

    def run(self, image: Image) -> Image:
        return gradient_picture(image, _derivative, self.params)


def _derivative(gray: Any, dx: int, dy: int) -> Any:
    mean, difference = np.ones(3, np.float32), np.array([-1, 0, 1], np.float32)
    return cv2.sepFilter2D(gray, cv2.CV_32F, difference if dx else mean, difference if dy else mean)
