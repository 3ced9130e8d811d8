"""From the two derivatives of a picture to the grey picture that shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import StageParams

Direction = Literal["both", "x", "y"]


class GradientParams(StageParams):
    direction: Direction = Field("both", description="Changes along x, along y, or the length of both together.")
    gain: float = Field(1.0, gt=0, le=255, description="Factor on the result, for faint edges.")


def gradient_picture(
    image: Image, derivative: Callable[[Any, int, int], Any], params: GradientParams, size: int = 0
) -> Image:
    """``gain · |∂x|``, ``gain · |∂y|`` or ``gain · √(∂x² + ∂y²)``, rounded and cut to 0..255.

    ``derivative(gray, dx, dy)`` gives the derivative (H, W) float32 of order ``dx`` along x and ``dy`` along y. Where a
    device may do it, ``size`` is that of OpenCV's kernels, -1 for Scharr's.
    """
    if image.device and size:
        orders = {"both": [(1, 0), (0, 1)], "x": [(1, 0)], "y": [(0, 1)]}[params.direction]
        pairs = [cuda_filters.kernels(*order, size) for order in orders]
        return image.placed(cuda_filters.gradient(image.tensor(image.device, "gray"), pairs, params.gain))
    gray = image.gray()
    if params.direction == "both":
        length = cv2.magnitude(derivative(gray, 1, 0), derivative(gray, 0, 1))
    else:
        length = derivative(gray, int(params.direction == "x"), int(params.direction == "y"))
    return image.replaced(cv2.convertScaleAbs(length, alpha=params.gain))
