"""``augment.turn``: by none, one, two or three quarters."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, Probability, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams
from visionkit.stages.augment._places import by_quarters


class TurnParams(AugmentParams):
    probability: Probability = Field(1.0, description="The share of pictures that are turned, some by nothing.")


class Turn(MapStage[TurnParams]):
    """Turns the picture by quarters of a circle, for what has no up and down: cells, aerial views.

    Example:
        - augment.turn
    """

    def open(self, context: StageContext) -> None:
        transform = albumentations.RandomRotate90(p=self.params.probability)
        self._augment = Augmentation(transform, context, by_quarters)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
