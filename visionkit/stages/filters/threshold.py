"""``filter.threshold``: black and white at one level."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageParams


class ThresholdParams(StageParams):
    method: Literal["fixed", "otsu", "triangle"] = Field(
        "otsu", description="Who chooses the level: you or the picture."
    )
    level: int = Field(
        127,
        ge=0,
        le=255,
        description="Grey level for method fixed: brighter pixels become white.",
    )
    invert: bool = Field(False, description="Make the darker pixels white.")


class Threshold(MapStage[ThresholdParams]):
    """Makes a black and white picture (grey, 0 or 255): white where the grey level is above a threshold.

    N. Otsu, A Threshold Selection Method from Gray-Level Histograms, 1979, for two populations;
    G. Zack et al., Automatic Measurement of Sister Chromatid Exchange Frequency, 1977 (triangle), for one peak.

    Example:
        - filter.threshold: {method: otsu}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        if image.device and self.params.method == "fixed":
            gray = image.tensor(image.device, "gray")
            return image.placed(cuda_filters.thresholded(gray, self.params.level, self.params.invert))
        kind = cv2.THRESH_BINARY_INV if self.params.invert else cv2.THRESH_BINARY
        kind |= {"fixed": 0, "otsu": cv2.THRESH_OTSU, "triangle": cv2.THRESH_TRIANGLE}[self.params.method]
        return image.replaced(cv2.threshold(image.gray(), self.params.level, 255, kind)[1])
