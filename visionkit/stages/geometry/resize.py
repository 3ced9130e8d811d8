"""``resize``: another size."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from visionkit.data import Image
from visionkit.stage import MapStage, Pixels, StageParams
from visionkit.stages.geometry._sampling import Interpolation, resized


class ResizeParams(StageParams):
    width: Pixels | None = Field(None, description="New width in pixels; alone, the height follows.")
    height: Pixels | None = Field(None, description="New height in pixels; alone, the width follows.")
    scale: float | None = Field(None, gt=0, le=64, description="Factor on both sides, instead of width and height.")
    fit: Literal["stretch", "inside", "cover"] = Field(
        "stretch",
        description="Width and height both: take them exactly, or keep the aspect and fit inside or cover them.",
    )
    shrink_only: bool = Field(False, description="Leave pictures alone that would grow.")
    interpolation: Interpolation = Field("auto", description="auto: area when shrinking, linear when growing.")

    @model_validator(mode="after")
    def _says_a_size(self) -> ResizeParams:
        sides = self.width is not None or self.height is not None
        if sides == (self.scale is not None):
            raise ValueError("needs width, height or both, or scale")
        return self

    def size(self, width: int, height: int) -> tuple[int, int]:
        """What a picture of this width and height becomes."""
        along, down = (s / side if s else None for s, side in ((self.width, width), (self.height, height)))
        if along is not None and down is not None and self.fit == "stretch":
            factors = along, down
        else:
            known = [f for f in (self.scale, along, down) if f is not None]
            factor = max(known) if self.fit == "cover" else min(known)
            factors = factor, factor
        if self.shrink_only and max(factors) > 1:
            return width, height
        return max(1, round(width * factors[0])), max(1, round(height * factors[1]))


class Resize(MapStage[ResizeParams]):
    """Scales the picture to a width, a height, both, or by a factor.

    With one of width and height the aspect is kept. Sides are rounded to whole pixels, at least one; results found
    on the smaller picture are lifted with the exact factors.

    Example:
        - resize: {width: 640}
        - resize: {width: 1280, height: 720, fit: inside, shrink_only: true}
    """

    @classmethod
    def needs(cls, params: ResizeParams, width: int, height: int) -> tuple[int, int] | None:
        return params.size(width, height) if params.interpolation in ("auto", "area") else None

    on_device = True

    def run(self, image: Image) -> Image:
        return resized(image, *self.params.size(*image.full_size), self.params.interpolation)
