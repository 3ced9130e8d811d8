"""``augment.crop``: a window of chance size and place."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, Pixels, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range, Size
from visionkit.stages.augment._places import by_crop


class CropParams(AugmentParams):
    share: Range = Field((0.5, 1.0), description="The window's area, as a share of the picture's.")
    ratio: Range = Field((0.75, 1.33), description="The window's width by its height, before it is scaled.")
    width: Pixels | None = Field(None, description="The new picture's width. Left out: that of the picture.")
    height: Pixels | None = Field(None, description="The new picture's height. Left out: that of the picture.")


class Crop(MapStage[CropParams]):
    """Cuts out a window and scales it to one size.

    Example:
        - augment.crop: {share: [0.3, 1], width: 224, height: 224}
    """

    def open(self, context: StageContext) -> None:
        self._context = context
        self._made: dict[Size, Augmentation] = {}

    def run(self, image: Image, key: Key) -> Image:
        size = self.params.width or image.width, self.params.height or image.height
        if size not in self._made:
            self._made = {size: self._for(size)}
        return self._made[size](image, key)

    def _for(self, size: Size) -> Augmentation:
        p = self.params
        transform = albumentations.RandomResizedCrop(size[::-1], p.share, p.ratio, p=p.probability)
        return Augmentation(transform, self._context, by_crop)
