"""``filter.contrast``: stretch levels around a middle."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.stage import MapStage, StageParams
from visionkit.stages.filters._table import by_table


class ContrastParams(StageParams):
    factor: float = Field(1.3, ge=0, le=100, description="Above 1 more contrast, below 1 less.")
    middle: float = Field(127.5, ge=0, le=255, description="The level that stays where it is.")


class Contrast(MapStage[ContrastParams]):
    """Stretches levels away from a middle: ``(in − middle) · factor + middle``, cut to 0..255.

    Example:
        - filter.contrast: {factor: 1.3}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        middle = self.params.middle
        return by_table(image, lambda levels: (levels - middle) * self.params.factor + middle)
