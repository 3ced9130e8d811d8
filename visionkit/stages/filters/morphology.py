"""``filter.morphology``: grow and shrink shapes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams

Operation = Literal["erode", "dilate", "open", "close", "gradient", "tophat", "blackhat"]


class MorphologyParams(StageParams):
    op: Operation = Field("open", description="open removes specks, close fills holes, gradient outlines.")
    size: int = Field(3, ge=1, le=255, description="Side of the structuring element in pixels.")
    shape: Literal["rect", "ellipse", "cross"] = Field("ellipse", description="The structuring element.")
    times: int = Field(1, ge=1, le=100, description="How often erosion and dilation are repeated.")


class Morphology(MapStage[MorphologyParams]):
    """Grows (dilate), shrinks (erode) and cleans light shapes, in black and white, grey or colour.

    open = erode, dilate; close = dilate, erode; gradient = dilate − erode; tophat = in − open; blackhat = close − in.
    J. Serra, Image Analysis and Mathematical Morphology, 1982.

    Example:
        - filter.morphology: {op: close, size: 5}
    """

    def run(self, image: Image) -> Image:
        p = self.params
        shape = {
            "rect": cv2.MORPH_RECT,
            "ellipse": cv2.MORPH_ELLIPSE,
            "cross": cv2.MORPH_CROSS,
        }[p.shape]
        element = cv2.getStructuringElement(shape, (p.size, p.size))
        operation = getattr(cv2, f"MORPH_{p.op.upper()}")
        return image.replaced(cv2.morphologyEx(image.native(), operation, element, iterations=p.times))
