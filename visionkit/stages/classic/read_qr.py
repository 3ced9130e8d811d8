"""``read.qr``: QR codes."""

from __future__ import annotations

from typing import ClassVar

from visionkit.data import Detections, Image
from visionkit.lazy import cv2
from visionkit.stage import MapStage, StageContext, StageParams
from visionkit.stage.fields import TEXTS
from visionkit.stages.classic._codes import codes


class QrParams(StageParams):
    """None."""


class Qr(MapStage[QrParams]):
    """Finds and reads QR codes, turned and tilted ones too (ISO/IEC 18004).

    Objects of class ``qr`` have an outline and the column ``text``, null where a code was found but not readable.

    Example:
        - read.qr
    """

    extra_columns: ClassVar = {"text": TEXTS}

    def open(self, context: StageContext) -> None:
        self._reader = cv2.QRCodeDetector()

    def run(self, image: Image) -> Detections:
        _, texts, corners, _ = self._reader.detectAndDecodeMulti(image.gray())
        return codes(image, "qr", corners, {"text": texts})
