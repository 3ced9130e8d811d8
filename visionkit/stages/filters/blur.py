"""``filter.blur``: Gaussian blur."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, OddInt, StageParams


class BlurParams(StageParams):
    size: Annotated[OddInt, Field(le=255)] | None = Field(
        None,
        description="Side of the kernel in pixels, odd. Left out: taken from sigma, or 5 if that is left out too.",
    )
    sigma: float | None = Field(
        None,
        gt=0,
        le=64,
        description="Standard deviation in pixels. Left out: 0.15 · size + 0.35.",
    )


class Blur(MapStage[BlurParams]):
    """Smooths with a Gaussian: noise goes, and so do fine details.

    Beyond the edge the picture is mirrored (OpenCV's ``reflect_101``).

    Example:
        - filter.blur: {sigma: 1.5}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        size, sigma = self.params.size, self.params.sigma
        if size is None:
            size = 5 if sigma is None else 0  # 0: OpenCV takes round(6·sigma + 1), made odd
        if image.device:
            return image.placed(cuda_filters.gaussian(image.tensor(image.device, "native"), size, sigma or 0))
        return image.replaced(cv2.GaussianBlur(image.native(), (size, size), sigma or 0))
