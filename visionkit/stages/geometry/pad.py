"""``pad``: a margin around the picture."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import Color, MapStage, StageParams
from visionkit.stages.geometry._sampling import level

Margin = Annotated[int, Field(ge=0, le=8192)]


class PadParams(StageParams):
    all: Margin = Field(0, description="Pixels on every side.")
    left: Margin = Field(0, description="Further pixels at the left.")
    top: Margin = Field(0, description="Further pixels at the top.")
    right: Margin = Field(0, description="Further pixels at the right.")
    bottom: Margin = Field(0, description="Further pixels at the bottom.")
    multiple_of: int = Field(1, ge=1, le=4096, description="Then grow right and bottom to sides divisible by this.")
    border: Literal["color", "repeat", "mirror"] = Field("color", description="What the margin is filled with.")
    color: Color = Field((0, 0, 0), description="The colour, for border: color.")


class Pad(MapStage[PadParams]):
    """Adds a margin, by pixels or up to the next size that a network takes.

    Example:
        - pad: {all: 16, color: white}
        - pad: {multiple_of: 32, border: mirror}
    """

    def run(self, image: Image) -> Image:
        p = self.params
        left, top, right, bottom = p.all + p.left, p.all + p.top, p.all + p.right, p.all + p.bottom
        right += -(left + image.width + right) % p.multiple_of
        bottom += -(top + image.height + bottom) % p.multiple_of
        if not (left or top or right or bottom):
            return image
        borders = {"color": cv2.BORDER_CONSTANT, "repeat": cv2.BORDER_REPLICATE, "mirror": cv2.BORDER_REFLECT_101}
        pixels = cv2.copyMakeBorder(
            image.native(), top, bottom, left, right, borders[p.border], value=level(image, p.color)
        )
        return image.replaced(pixels, image.canvas.crop(-left, -top, pixels.shape[1], pixels.shape[0]))
