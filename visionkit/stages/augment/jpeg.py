"""``augment.jpeg``: blocks of a low quality JPEG."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams


class JpegParams(AugmentParams):
    quality: tuple[int, int] = Field((40, 90), description="Lowest and highest quality, 1 to 100.")


class Jpeg(MapStage[JpegParams]):
    """Compresses and unpacks the picture as a JPEG of a quality drawn by chance.

    Example:
        - augment.jpeg: {quality: [30, 80]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.ImageCompression("jpeg", p.quality, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
