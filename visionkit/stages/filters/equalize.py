"""``filter.equalize``: histogram equalisation."""

from __future__ import annotations

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams
from visionkit.stages.filters._lightness import on_lightness


class EqualizeParams(StageParams):
    """None: the whole range 0..255 is used."""


class Equalize(MapStage[EqualizeParams]):
    """Spreads the levels of the whole picture over 0..255, on the lightness of a colour picture.

    Every level becomes its cumulated share of the histogram (R. Gonzalez and R. Woods, Digital Image Processing, 3.3).
    Where light and dark regions need evening out by themselves, ``filter.clahe`` does better.

    Example:
        - filter.equalize
    """

    def run(self, image: Image) -> Image:
        return on_lightness(image, cv2.equalizeHist)
