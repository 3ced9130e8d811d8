"""``filter.gamma``: gamma correction."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.stage import MapStage, StageParams
from visionkit.stages.filters._table import by_table


class GammaParams(StageParams):
    gamma: float = Field(
        1.5,
        gt=0,
        le=10,
        description="Above 1 brightens the shadows, below 1 darkens them.",
    )


class Gamma(MapStage[GammaParams]):
    """Brightens or darkens the middle tones; black and white stay: ``255 · (in / 255)^(1 / gamma)``.

    Example:
        - filter.gamma: {gamma: 1.5}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        return by_table(image, lambda levels: 255 * (levels / 255) ** (1 / self.params.gamma))
