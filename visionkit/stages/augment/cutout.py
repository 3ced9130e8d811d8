"""``augment.cutout``: parts that are hidden."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams, Range


class CutoutParams(AugmentParams):
    pattern: Literal["holes", "grid"] = Field("holes", description="holes: here and there; grid: regularly.")
    holes: tuple[int, int] = Field((1, 4), description="Fewest and most of them (holes).")
    size: Range = Field((0.1, 0.2), description="Sides of a hole, as a share of the picture's (holes).")
    ratio: float = Field(0.4, gt=0, lt=1, description="Side of a hole, as a share of a cell (grid).")
    fill: int = Field(0, ge=0, le=255, description="Level the holes are filled with.")


class Cutout(MapStage[CutoutParams]):
    """Covers rectangles, or a grid of them, so that a network learns not to rely on one part.

    DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, arXiv:1708.04552;
    Chen et al., GridMask Data Augmentation, arXiv:2001.04086. Labels of what is covered stay.

    Example:
        - augment.cutout: {holes: [2, 6]}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        if p.pattern == "grid":
            transform = albumentations.GridDropout(p.ratio, fill=p.fill, p=p.probability)
        else:
            transform = albumentations.CoarseDropout(p.holes, p.size, p.size, fill=p.fill, p=p.probability)
        self._augment = Augmentation(transform, context)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
