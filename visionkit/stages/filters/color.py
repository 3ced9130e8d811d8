"""``filter.color``: colour spaces and their channels."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams

Space = Literal["gray", "rgb", "hsv", "hls", "lab", "luv", "ycrcb", "xyz"]


class ColorParams(StageParams):
    to: Space = Field(description="The colour space. Its channels take the places of blue, green and red.")
    channel: int | None = Field(
        None,
        ge=0,
        le=2,
        description="Keep this channel alone (0, 1, 2), as a grey picture.",
    )


class Color(MapStage[ColorParams]):
    """Converts to another colour space, or takes one channel out of it.

    Ranges are OpenCV's for 8 bits: hue 0..179, all else 0..255. ``to: gray`` gives a grey picture (``channel`` has no
    meaning there); with every other space the three planes stand where blue, green and red stood, so that what
    follows treats them as it would treat these.

    Example:
        - filter.color: {to: hsv, channel: 1}
    """

    def run(self, image: Image) -> Image:
        if self.params.to == "gray" and image.device and not image.is_gray:
            return image.placed(image.tensor(image.device, "gray"))
        if self.params.to == "gray":
            return image if image.is_gray else image.replaced(image.gray())
        planes = cv2.cvtColor(image.bgr(), getattr(cv2, _CODES[self.params.to]))
        if self.params.channel is not None:
            return image.replaced(cv2.extractChannel(planes, self.params.channel))
        return image.replaced(planes)


_CODES = {
    "rgb": "COLOR_BGR2RGB",
    "hsv": "COLOR_BGR2HSV",
    "hls": "COLOR_BGR2HLS",
    "lab": "COLOR_BGR2LAB",
    "luv": "COLOR_BGR2LUV",
    "ycrcb": "COLOR_BGR2YCrCb",
    "xyz": "COLOR_BGR2XYZ",
}
