"""``augment.pixels``: any pixel transform of albumentations by its name."""

from __future__ import annotations

import warnings
from typing import Any

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.errors import UsageError, did_you_mean
from visionkit.lazy import load
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Augmentation, AugmentParams


class PixelsParams(AugmentParams):
    transform: str = Field(description="Its class in albumentations: RandomFog, Posterize, ToSepia, ...")
    options: dict[str, Any] = Field({}, description="Its arguments, as albumentations documents them.")


class Pixels(MapStage[PixelsParams]):
    """Runs a transform of albumentations that moves nothing: weather, posterising, sharpening and some sixty more.

    Those with a stage of their own are better called by it. Grey pictures go through as three equal channels.

    Raises:
        UsageError: there is no such transform, it moves pixels, or its options are wrong.

    Example:
        - augment.pixels: {transform: RandomFog, options: {alpha_coef: 0.1}}
    """

    def open(self, context: StageContext) -> None:
        self._augment = Augmentation(self._transform(), context)

    def run(self, image: Image, key: Key) -> Image:
        if not image.is_gray:
            return self._augment(image, key)
        changed = self._augment(Image(image.rgb(), "rgb", image.canvas), key)
        return image.replaced(changed.gray())

    def _transform(self) -> Any:
        p = self.params
        library = load("albumentations")
        base = library.ImageOnlyTransform
        known = [name for name in dir(library) if _is_transform(getattr(library, name), base)]
        if p.transform not in known:
            help_ = did_you_mean(p.transform, known) or f"there are {', '.join(known)}"
            raise UsageError(f"augment.pixels: albumentations has no pixel transform {p.transform!r}", help=help_)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # it would only warn of an argument it does not know
                return getattr(library, p.transform)(**p.options, p=p.probability)
        except (ValueError, TypeError, UserWarning) as error:
            raise UsageError(f"augment.pixels: {p.transform} does not take {p.options}: {error}") from error


def _is_transform(found: Any, base: type) -> bool:
    return isinstance(found, type) and issubclass(found, base) and found is not base
