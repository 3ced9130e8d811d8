"""``filter.white_balance``: remove a colour cast."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, Probability, StageParams


class WhiteBalanceParams(StageParams):
    strength: Probability = Field(1.0, description="0 leaves the picture as it is, 1 removes the cast wholly.")


class WhiteBalance(MapStage[WhiteBalanceParams]):
    """Removes a colour cast: scales the channels until their means are equal (grey world). Grey pictures stay.

    G. Buchsbaum, A Spatial Processor Model for Object Colour Perception, 1980. The assumption is that the scene is
    grey on average: a lawn that fills the picture would lose its green.

    Example:
        - filter.white_balance: {strength: 1.0}
    """

    def run(self, image: Image) -> Image:
        if image.is_gray:
            return image
        pixels = image.bgr()
        means = np.array(cv2.mean(pixels)[:3])
        gains = np.divide(means.mean(), means, out=np.ones(3), where=means > 0) ** self.params.strength
        levels = np.arange(256)[None, :, None] * gains
        return image.replaced(cv2.LUT(pixels, np.clip(np.rint(levels), 0, 255).astype(np.uint8)))
