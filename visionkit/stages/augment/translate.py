"""``augment.translate``: shifted by a chance distance."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Around, Augmentation, AugmentParams
from visionkit.stages.augment._places import by_matrix


class TranslateParams(AugmentParams):
    x: Around = Field((-0.1, 0.1), description="To the right, as a share of the width: n for -n to n, or [from, to].")
    y: Around = Field((-0.1, 0.1), description="Down, as a share of the height.")


class Translate(MapStage[TranslateParams]):
    """Shifts the picture along both sides; what comes from outside is black.

    Example:
        - augment.translate: {x: 0.1, y: 0.05}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.Affine(translate_percent={"x": p.x, "y": p.y}, p=p.probability)
        self._augment = Augmentation(transform, context, by_matrix)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
