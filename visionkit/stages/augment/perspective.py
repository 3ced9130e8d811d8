"""``augment.perspective``: as seen from another side."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range
from visionkit.stages.augment._places import by_perspective


class PerspectiveParams(AugmentParams):
    strength: Range = Field(
        (0.05, 0.1),
        description="How far corners move: a deviation drawn from this range, a share of the sides.",
    )


class Perspective(MapStage[PerspectiveParams]):
    """Moves the four corners inwards by chance, as if the camera had stood elsewhere.

    Example:
        - augment.perspective: {strength: [0.02, 0.08]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.Perspective(scale=p.strength, keep_size=True, p=p.probability)
        self._augment = Augmentation(transform, context, by_perspective)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
