"""``augment.motion_blur``: as if the camera had moved."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, OddInt, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams


class MotionBlurParams(AugmentParams):
    length: tuple[OddInt, OddInt] = Field((3, 9), description="Shortest and longest line, odd pixels from 3.")


class MotionBlur(MapStage[MotionBlurParams]):
    """Smears the picture along a line of chance length and direction.

    Example:
        - augment.motion_blur: {length: [3, 15]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.MotionBlur(blur_limit=p.length, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
