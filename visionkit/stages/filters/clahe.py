"""``filter.clahe``: contrast-limited adaptive histogram equalisation."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams
from visionkit.stages.filters._lightness import on_lightness


class ClaheParams(StageParams):
    clip: float = Field(2.0, gt=0, description="Contrast limit: the higher, the stronger the effect.")
    tiles: int = Field(8, ge=1, le=256, description="Number of tiles along each side.")


class Clahe(MapStage[ClaheParams]):
    """Evens out local contrast, on the lightness of a colour picture.

    Contrast Limited Adaptive Histogram Equalization: K. Zuiderveld, Graphics Gems IV, 1994.

    Example:
        - filter.clahe: {clip: 2.0, tiles: 8}
    """

    def run(self, image: Image) -> Image:
        clahe = cv2.createCLAHE(self.params.clip, (self.params.tiles, self.params.tiles))
        return on_lightness(image, clahe.apply)
