"""``filter.adaptive_threshold``: black and white by the neighbourhood."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, OddInt, StageParams


class AdaptiveThresholdParams(StageParams):
    size: Annotated[OddInt, Field(ge=3, le=1023)] = Field(25, description="Side of the neighbourhood in pixels, odd.")
    offset: float = Field(
        10.0,
        ge=-255,
        le=255,
        description="White is above the neighbourhood's mean less this.",
    )
    method: Literal["mean", "gaussian"] = Field("gaussian", description="A plain mean, or near pixels weigh more.")
    invert: bool = Field(False, description="Make the darker pixels white.")


class AdaptiveThreshold(MapStage[AdaptiveThresholdParams]):
    """Makes a black and white picture (grey, 0 or 255), each pixel against the mean around it.

    For pages and scenes under uneven light, where no single level fits.

    Example:
        - filter.adaptive_threshold: {size: 25, offset: 10}
    """

    def run(self, image: Image) -> Image:
        p = self.params
        mean = cv2.ADAPTIVE_THRESH_GAUSSIAN_C if p.method == "gaussian" else cv2.ADAPTIVE_THRESH_MEAN_C
        kind = cv2.THRESH_BINARY_INV if p.invert else cv2.THRESH_BINARY
        return image.replaced(cv2.adaptiveThreshold(image.gray(), 255, mean, kind, p.size, p.offset))
