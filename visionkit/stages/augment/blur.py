"""``augment.blur``: out of focus."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range


class BlurParams(AugmentParams):
    sigma: Range = Field((0.5, 2.0), description="Standard deviation, pixels.")


class Blur(MapStage[BlurParams]):
    """Smooths with a Gaussian of a width drawn by chance.

    Example:
        - augment.blur: {sigma: [0.5, 3]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.GaussianBlur(blur_limit=0, sigma_limit=p.sigma, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
