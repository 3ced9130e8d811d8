"""``filter.nlm``: denoising by non-local means."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, OddInt, StageParams


class NlmParams(StageParams):
    strength: float = Field(
        5.0,
        gt=0,
        le=100,
        description="How strong; about the noise's standard deviation in levels.",
    )
    color_strength: float | None = Field(
        None, gt=0, le=100, description="The same for colour noise; left out: strength."
    )
    patch: Annotated[OddInt, Field(le=31)] = Field(7, description="Side of the compared patches in pixels, odd.")
    search: Annotated[OddInt, Field(le=63)] = Field(21, description="Side of the window searched for them, odd.")


class Nlm(MapStage[NlmParams]):
    """Removes noise by averaging patches that look alike, wherever near by they are. Slow, and good.

    A. Buades, B. Coll and J.-M. Morel, A Non-Local Algorithm for Image Denoising, CVPR 2005. Colour pictures are
    filtered in CIE Lab, lightness and colour apart.

    Example:
        - filter.nlm: {strength: 8}
    """

    def run(self, image: Image) -> Image:
        p = self.params
        if image.is_gray:
            return image.replaced(cv2.fastNlMeansDenoising(image.gray(), None, p.strength, p.patch, p.search))
        color = p.color_strength or p.strength
        return image.replaced(cv2.fastNlMeansDenoisingColored(image.bgr(), None, p.strength, color, p.patch, p.search))
