"""``filter.brightness``: add to every level."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.stage import MapStage, StageParams
from visionkit.stages.filters._table import by_table


class BrightnessParams(StageParams):
    add: float = Field(30.0, ge=-255, le=255, description="Levels to add; negative darkens.")


class Brightness(MapStage[BrightnessParams]):
    """Adds a constant to every channel of every pixel: ``in + add``, cut to 0..255.

    Example:
        - filter.brightness: {add: 30}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        return by_table(image, lambda levels: levels + self.params.add)
