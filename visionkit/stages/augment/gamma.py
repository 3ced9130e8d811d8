"""``augment.gamma``: brighter or darker in the middle tones."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range


class GammaParams(AugmentParams):
    gamma: Range = Field((0.8, 1.2), description="The power; below 1 is brighter.")


class Gamma(MapStage[GammaParams]):
    """Raises levels to a power drawn by chance; black and white stay.

    Example:
        - augment.gamma: {gamma: [0.7, 1.5]}
    """

    def open(self, context: StageContext) -> None:
        low, high = self.params.gamma
        transform = albumentations.RandomGamma((100 * low, 100 * high), p=self.params.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
