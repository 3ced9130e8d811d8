"""``ocr.easyocr``: text found and read by EasyOCR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from visionkit.data import Image, TextLines
from visionkit.lazy import load, np
from visionkit.stage import BatchStage, Probability, StageContext, StageParams, WeightsName
from visionkit.stages.ocr._crnn import EasyOcr, Line, whole
from visionkit.stages.ocr._lines import reading_order
from visionkit.weights import Catalogue
from visionkit.weights.safe import check_pickle

SMALLEST = 8  # pixels: nothing smaller holds text, and the detector needs some


class EasyOcrParams(StageParams):
    mode: Literal["read", "recognize"] = Field(
        "read", description='"read" finds lines and reads them; "recognize" takes the whole picture for one line.'
    )
    min_score: Probability = Field(0.3, description="Drop lines that score lower.")
    languages: tuple[str, ...] = Field(("en",), min_length=1, description="Languages by their codes, as EasyOCR's.")
    weights: WeightsName = Field("easyocr_en", description="A set of EasyOCR's networks in the weights catalogue.")


class EasyOcrStage(BatchStage[EasyOcrParams]):
    """Reads text with CRAFT (Baek et al., CVPR 2019) and a CRNN (Shi et al., 2015), as the library EasyOCR does.

    Slower than ``ocr.rapidocr``, with more alphabets to train for. Lines are in reading order: rows from top to bottom,
    each from left to right. ``recognize`` on the crops of ``for_each`` reads them in real batches.

    Example:
        - ocr.easyocr: {min_score: 0.5}
    """

    def open(self, context: StageContext) -> None:
        load("easyocr")  # first, so that a missing package is told before anything is fetched
        p = self.params
        names = [spec.name for spec in Catalogue.load().get(p.weights).files]
        paths = [check_pickle(context.file(p.weights, name)) for name in names]  # the library unpickles them in full
        self._networks = EasyOcr(paths[0].parent, p.languages, context.device)

    def run(self, images: Sequence[Image]) -> Sequence[TextLines]:
        lines = [self._lines(image) for image in images]
        readings = iter(self._networks.read([line for found in lines for line in found]))
        pairs = zip(images, lines, strict=True)
        return [self._result(image, found, [next(readings) for _ in found]) for image, found in pairs]

    def _lines(self, image: Image) -> list[Line]:
        if min(image.width, image.height) < SMALLEST:
            return []
        if self.params.mode == "recognize":
            return whole(image.gray())
        return self._networks.lines(image.bgr(), image.gray())

    def _result(self, image: Image, lines: list[Line], readings: list[tuple[str, float]]) -> TextLines:
        good = [i for i, (text, score) in enumerate(readings) if text.strip() and score >= self.params.min_score]
        boxes = np.array([lines[i][0] for i in good], np.float64).reshape(-1, 4, 2)
        order = reading_order(boxes) if good else []
        texts = tuple(readings[good[i]][0] for i in order)
        scores = np.array([readings[good[i]][1] for i in order], np.float32)
        return TextLines(image.canvas, texts, scores, boxes[order].astype(np.float32).reshape(-1, 4, 2))
