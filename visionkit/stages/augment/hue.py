"""``augment.hue``: other colours."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Around, Augmentation, AugmentParams


class HueParams(AugmentParams):
    hue: Around = Field((-10.0, 10.0), description="Shift of the hue, 180 for a full circle: n for -n to n.")
    saturation: Around = Field((-30.0, 30.0), description="Shift of the saturation, levels.")
    value: Around = Field((-20.0, 20.0), description="Shift of the value, levels.")


class Hue(MapStage[HueParams]):
    """Shifts hue, saturation and value by chance. A grey picture stays as it is.

    Example:
        - augment.hue: {hue: 20}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.HueSaturationValue(p.hue, p.saturation, p.value, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return image if image.is_gray else self._augment(image, key)
