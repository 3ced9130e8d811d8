"""``read.barcode``: bar codes of goods."""

from __future__ import annotations

from typing import ClassVar

from visionkit.data import Detections, Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageContext, StageParams
from visionkit.stage.fields import TEXTS
from visionkit.stages.classic._codes import codes


class BarcodeParams(StageParams):
    """None."""


class Barcode(MapStage[BarcodeParams]):
    """Finds and reads the bar codes of goods: EAN-13, EAN-8, UPC-A, UPC-E. Pictures need 40 pixels a side.

    Objects of class ``barcode`` have an outline and the columns ``text`` and ``format`` ("EAN_13"), null where a code
    was found but not readable. C. Creusot and A. Munawar, Real-Time Barcode Detection in the Wild, WACV 2015.

    Example:
        - read.barcode
    """

    extra_columns: ClassVar = {"text": TEXTS, "format": TEXTS}

    def open(self, context: StageContext) -> None:
        self._reader = cv2.barcode.BarcodeDetector()

    def run(self, image: Image) -> Detections:
        _, texts, formats, corners = self._reader.detectAndDecodeWithType(image.gray())
        return codes(image, "barcode", corners, {"text": texts, "format": formats})
