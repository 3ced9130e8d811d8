"""``letterbox``: an exact size with the aspect kept."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import Color, MapStage, Pixels, StageParams
from visionkit.stages.geometry._sampling import Interpolation, level, resized


class LetterboxParams(StageParams):
    width: Pixels = Field(640, description="Width of the result in pixels.")
    height: Pixels = Field(640, description="Height of the result in pixels.")
    color: Color = Field((114, 114, 114), description="Colour of the bars.")
    interpolation: Interpolation = Field("auto", description="auto: area when shrinking, linear when growing.")

    def inner(self, width: int, height: int) -> tuple[int, int]:
        """The size at which a picture of this width and height fits between the bars."""
        scale = min(self.width / width, self.height / height)
        return max(1, round(width * scale)), max(1, round(height * scale))


class Letterbox(MapStage[LetterboxParams]):
    """Fits the whole picture into an exact size, centred, with bars at two sides.

    Example:
        - letterbox: {width: 640, height: 640}
    """

    @classmethod
    def needs(cls, params: LetterboxParams, width: int, height: int) -> tuple[int, int] | None:
        return params.inner(width, height) if params.interpolation in ("auto", "area") else None

    def run(self, image: Image) -> Image:
        p = self.params
        width, height = p.inner(*image.full_size)
        inner = resized(image, width, height, p.interpolation)
        left, top = (p.width - width) // 2, (p.height - height) // 2
        right, bottom = p.width - width - left, p.height - height - top
        fill = level(image, p.color)
        pixels = cv2.copyMakeBorder(inner.native(), top, bottom, left, right, cv2.BORDER_CONSTANT, value=fill)
        return image.replaced(pixels, inner.canvas.crop(-left, -top, p.width, p.height))
