"""``filter.sharpen``: unsharp masking."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams


class SharpenParams(StageParams):
    amount: float = Field(
        1.0,
        ge=0,
        le=10,
        description="How much of the detail is added; 0 changes nothing.",
    )
    sigma: float = Field(
        1.5,
        gt=0,
        le=64,
        description="Detail is what a Gaussian of this many pixels removes.",
    )


class Sharpen(MapStage[SharpenParams]):
    """Adds the difference between the picture and its blurred copy: ``in + amount · (in − blur(in))``.

    Unsharp masking, as in the darkroom. Large amounts draw halos along edges.

    Example:
        - filter.sharpen: {amount: 1.0, sigma: 1.5}
    """

    def run(self, image: Image) -> Image:
        pixels, amount = image.native(), self.params.amount
        blurred = cv2.GaussianBlur(pixels, (0, 0), self.params.sigma)
        return image.replaced(cv2.addWeighted(pixels, 1 + amount, blurred, -amount, 0))
