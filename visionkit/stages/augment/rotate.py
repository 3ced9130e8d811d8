"""``augment.rotate``: turned by a chance angle."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Around, Augmentation, AugmentParams
from visionkit.stages.augment._places import by_matrix


class RotateParams(AugmentParams):
    degrees: Around = Field((-15.0, 15.0), description="Angles against the clock: n for -n to n, or [from, to].")
    expand: bool = Field(False, description="Let the picture grow so that no corner is cut off.")


class Rotate(MapStage[RotateParams]):
    """Turns the picture about its middle by an angle drawn evenly from a range.

    Example:
        - augment.rotate: {degrees: 15}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        transform = albumentations.Affine(rotate=p.degrees, fit_output=p.expand, p=p.probability)
        self._augment = Augmentation(transform, context, by_matrix)

    def run(self, image: Image, key: Key) -> Image:
        return self._augment(image, key)
