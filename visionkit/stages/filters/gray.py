"""``filter.gray``: colour to grey."""

from __future__ import annotations

from visionkit.data import Image
from visionkit.stage import MapStage, StageParams


class GrayParams(StageParams):
    """None: the weights are those of ITU-R BT.601."""


class Gray(MapStage[GrayParams]):
    """Turns a colour picture grey: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601).

    Example:
        - filter.gray
    """

    on_device = True

    def run(self, image: Image) -> Image:
        if image.device and not image.is_gray:
            return image.placed(image.tensor(image.device, "gray"))
        return image if image.is_gray else image.replaced(image.gray())
