"""``augment.elastic``: bent like rubber, another way each time."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams
from visionkit.stages.augment._places import by_table


class ElasticParams(AugmentParams):
    strength: float = Field(120.0, gt=0, le=10_000, description="What the smoothed noise is multiplied with.")
    smoothness: float = Field(10.0, ge=2, le=200, description="Standard deviation of the smoothing, pixels.")


class Elastic(MapStage[ElasticParams]):
    """Bends the picture by smoothed noise.

    P. Simard, D. Steinkraus and J. Platt, Best Practices for Convolutional Neural Networks Applied to Visual Document
    Analysis, 2003. Pixels move by about 0.28 times ``strength / smoothness``; a strength above the square of the
    smoothness folds the picture, and what lies in a fold has no one place to go to.

    Example:
        - augment.elastic: {strength: 120, smoothness: 10}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.ElasticTransform(alpha=p.strength, sigma=p.smoothness, p=p.probability)
        self._augment = Augmentation(transform, context, by_table)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
