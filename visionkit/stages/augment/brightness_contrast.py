"""``augment.brightness_contrast``: another exposure."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Around, Augmentation, AugmentParams


class BrightnessContrastParams(AugmentParams):
    brightness: Around = Field((-0.2, 0.2), description="Shift, as a share of 255: n for -n to n, or [from, to].")
    contrast: Around = Field((-0.2, 0.2), description="Factor less 1: 0.2 is up to a fifth more, -0.2 a fifth less.")


class BrightnessContrast(MapStage[BrightnessContrastParams]):
    """Multiplies and shifts the levels by chance.

    Example:
        - augment.brightness_contrast: {brightness: 0.3, contrast: 0.2}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.RandomBrightnessContrast(p.brightness, p.contrast, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
