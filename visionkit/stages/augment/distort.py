"""``augment.distort``: bent along a grid or like a lens."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Image, Key
from visionkit.lazy import albumentations
from visionkit.stage import MapStage, StageContext
from visionkit.stages.augment._augment import Around, Augmentation, AugmentParams
from visionkit.stages.augment._places import by_table


class DistortParams(AugmentParams):
    kind: Literal["grid", "lens"] = Field("grid", description="grid: its lines move; lens: barrel or pincushion.")
    strength: Around = Field((-0.3, 0.3), description="Share of a cell, or lens coefficient: n for -n to n.")
    steps: int = Field(5, ge=1, le=64, description="Cells along each side (grid).")


class Distort(MapStage[DistortParams]):
    """Moves the lines of a grid, or bends the picture as a lens does.

    Example:
        - augment.distort: {kind: lens, strength: 0.2}
    """

    def open(self, context: StageContext) -> None:
        p = self.params
        if p.kind == "grid":
            transform = albumentations.GridDistortion(p.steps, p.strength, p=p.probability)
        else:
            transform = albumentations.OpticalDistortion(p.strength, p=p.probability)
        self._augment = Augmentation(transform, context, by_table)

    def run(self, image: Image, key: Key) -> Image:
        small = min(image.width, image.height) < 2 * self.params.steps  # there is no room for a grid
        return image if small else self._augment(image, key)
