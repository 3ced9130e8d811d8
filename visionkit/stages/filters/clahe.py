"""``filter.clahe``: contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams


class ClaheParams(StageParams):
    clip: float = Field(2.0, gt=0, description="Contrast limit: the higher, the stronger the effect.")
    tiles: int = Field(8, ge=1, le=256, description="Number of tiles along each side.")


class Clahe(MapStage[ClaheParams]):
    """Evens out local contrast, on the lightness of a colour picture.

    Contrast Limited Adaptive Histogram Equalization: K. Zuiderveld, Graphics Gems IV, 1994.
    """

    def run(self, image: Image) -> Image:
        clahe = cv2.createCLAHE(self.params.clip, (self.params.tiles, self.params.tiles))
        if image.is_gray:
            return image.replaced(clahe.apply(image.gray()))
        lab = cv2.cvtColor(image.bgr(), cv2.COLOR_BGR2LAB)
        lab[..., 0] = clahe.apply(lab[..., 0])
        return image.replaced(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))
