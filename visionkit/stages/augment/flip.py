"""``augment.flip``: mirrored by chance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams
from visionkit.stages.augment._places import left_right, top_bottom


class FlipParams(AugmentParams):
    axis: Literal["horizontal", "vertical"] = Field("horizontal", description="horizontal: left becomes right.")


class Flip(MapStage[FlipParams]):
    """Mirrors the picture, left and right or top and bottom.

    Example:
        - augment.flip
        - augment.flip: {id: upside_down, axis: vertical}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        if p.axis == "horizontal":
            self._augment = Augmentation(albumentations.HorizontalFlip(p=p.probability), context, left_right)
        else:
            self._augment = Augmentation(albumentations.VerticalFlip(p=p.probability), context, top_bottom)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
