"""``augment.shear``: slanted by a chance angle."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Around, Augmentation, AugmentParams
from visionkit.stages.augment._places import by_matrix


class ShearParams(AugmentParams):
    x: Around = Field((-10.0, 10.0), description="Degrees along the width: n for -n to n, or [from, to].")
    y: Around = Field((0.0, 0.0), description="Degrees along the height.")


class Shear(MapStage[ShearParams]):
    """Slants the picture along one side or both.

    Example:
        - augment.shear: {x: 10}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.Affine(shear={"x": p.x, "y": p.y}, p=p.probability)
        self._augment = Augmentation(transform, context, by_matrix)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
