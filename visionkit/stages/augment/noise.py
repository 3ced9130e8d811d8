"""``augment.noise``: grain of a sensor."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range


class NoiseParams(AugmentParams):
    strength: Range = Field((0.02, 0.1), description="Standard deviation, as a share of 255.")
    colored: bool = Field(True, description="Each channel for itself.")


class Noise(MapStage[NoiseParams]):
    """Adds Gaussian noise of a strength drawn by chance.

    Example:
        - augment.noise: {strength: [0.05, 0.15]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.GaussNoise(p.strength, per_channel=p.colored, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
