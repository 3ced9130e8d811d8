"""``filter.bilateral``: edge-preserving smoothing."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams


class BilateralParams(StageParams):
    diameter: int = Field(
        9,
        ge=1,
        le=63,
        description="Diameter of the neighbourhood in pixels; cost: its square.",
    )
    sigma_color: float = Field(50.0, gt=0, description="How far two levels (0..255) may differ and still mix.")
    sigma_space: float = Field(
        5.0,
        gt=0,
        description="How far two pixels may lie apart and still mix, in pixels.",
    )


class Bilateral(MapStage[BilateralParams]):
    """Smooths surfaces and leaves edges alone: a mean weighted by nearness in place and in colour.

    C. Tomasi and R. Manduchi, Bilateral Filtering for Gray and Color Images, ICCV 1998.

    Example:
        - filter.bilateral: {diameter: 9, sigma_color: 50}
    """

    def run(self, image: Image) -> Image:
        p = self.params
        return image.replaced(cv2.bilateralFilter(image.native(), p.diameter, p.sigma_color, p.sigma_space))
