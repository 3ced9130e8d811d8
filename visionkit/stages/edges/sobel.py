"""``edges.sobel``: gradient by Sobel's operator."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, OddInt
from visionkit.stages.edges._gradient import GradientParams, gradient_picture


class SobelParams(GradientParams):
    size: Annotated[OddInt, Field(ge=3, le=31)] = Field(3, description="Side of the kernel in pixels, odd.")


class Sobel(MapStage[SobelParams]):
    """Shows how steeply the grey level changes, as a grey picture: bright along edges.

    I. Sobel and G. Feldman, A 3×3 Isotropic Gradient Operator for Image Processing, 1968. A kernel of 3 gives four
    times the difference of neighbours two pixels apart, larger kernels far more: lower ``gain`` with them.

    Example:
        - edges.sobel: {size: 3}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        size = self.params.size
        return gradient_picture(
            image, lambda gray, dx, dy: cv2.Sobel(gray, cv2.CV_32F, dx, dy, ksize=size), self.params, size
        )
