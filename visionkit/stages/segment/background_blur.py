"""``background.blur``: the subject sharp, the rest out of focus."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Matte, SemanticMask
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams
from visionkit.stages.segment._alpha import alpha_of, composed


class BackgroundBlurParams(StageParams):
    size: float = Field(0.04, gt=0, le=1, description="Width of the blur, in shares of the picture's shorter side.")


class BackgroundBlur(MapStage[BackgroundBlurParams]):
    """Blurs what a matte or a mask calls background; of a mask, that is its first class.

    Example:
        - matte
        - background.blur: {size: 0.05}
    """

    hides = True

    def run(self, image: Image, mask: Matte | SemanticMask) -> Image:
        pixels, alpha = image.bgr(), alpha_of(mask, image)
        size = max(3, round(min(image.width, image.height) * self.params.size)) | 1
        away = 1 - alpha
        # The subject must not bleed into what is behind it, so it is left out of the mean.
        weight = cv2.blur(away, (size, size))[..., None] + 1e-4
        behind = cv2.blur(pixels * away[..., None], (size, size)) / weight
        return image.replaced(composed(pixels, np.clip(behind, 0, 255).astype(np.uint8), alpha))
