"""``augment.scale``: larger or smaller in its frame."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range
from visionkit.stages.augment._places import by_matrix


class ScaleParams(AugmentParams):
    factor: Range = Field((0.8, 1.2), description="Drawn evenly from this range; 1 is as it is.")
    keep_shape: bool = Field(True, description="The same factor along both sides.")


class Scale(MapStage[ScaleParams]):
    """Scales the picture about its middle; its size stays, what is missing is black.

    Example:
        - augment.scale: {factor: [0.7, 1.3]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.Affine(scale=p.factor, keep_ratio=p.keep_shape, p=p.probability)
        self._augment = Augmentation(transform, context, by_matrix)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
