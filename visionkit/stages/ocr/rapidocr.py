"""``ocr.rapidocr``: text found and read by the networks of PP-OCR."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from visionkit.data import Image, TextLines
from visionkit.lazy import np
from visionkit.stage import BatchStage, Probability, StageContext, StageParams, WeightsName
from visionkit.stages.ocr._lines import boxes_of, cut_out, reading_order
from visionkit.stages.ocr._ppocr import PpOcr, detection_size, prepared

if TYPE_CHECKING:
    from numpy.typing import NDArray


class RapidOcrParams(StageParams):
    mode: Literal["read", "recognize"] = Field(
        "read", description='"read" finds lines and reads them; "recognize" takes the whole picture for one line.'
    )
    min_score: Probability = Field(0.5, description="Drop lines whose characters score lower on average.")
    direction: bool = Field(True, description="Turn lines that stand on their head.")
    short_side: int = Field(
        736, ge=32, le=2000, description="Smaller pictures are enlarged to this shorter side to find small text."
    )
    weights: WeightsName = Field("pp-ocr", description="A set of PP-OCR networks in the weights catalogue.")


class RapidOcr(BatchStage[RapidOcrParams]):
    """Reads text in many languages, Latin and Chinese script above all.

    The networks are those inside the package ``rapidocr``, run by ONNX Runtime; the package itself is not needed.
    ``recognize`` on the crops of ``for_each`` reads them in real batches. Lines are in reading order: rows from top to
    bottom, each from left to right.

    Example:
        - ocr.rapidocr: {min_score: 0.7}
    """

    def open(self, context: StageContext) -> None:
        self._networks = PpOcr(context.model(self.params.weights, task="ocr"))

    def bucket(self, image: Image) -> Hashable:
        if self.params.mode == "recognize":
            return None
        return detection_size(image.width, image.height, self.params.short_side)[:2]

    def run(self, images: Sequence[Image]) -> Sequence[TextLines]:
        if self.params.mode == "read":
            outlines = self._found(images)
            pairs = zip(images, outlines, strict=True)
            lines = [cut_out(image.bgr(), box) for image, boxes in pairs for box in boxes]
        else:
            outlines = [_outline(image) for image in images]
            lines = [image.bgr() for image in images]
        if self.params.direction:
            lines = self._networks.upright(lines)
        readings = iter(self._networks.read(lines))
        pairs = zip(images, outlines, strict=True)
        return [self._result(image, boxes, [next(readings) for _ in boxes]) for image, boxes in pairs]

    def _found(self, images: Sequence[Image]) -> list[NDArray[np.float64]]:
        """Rotated boxes (N, 4, 2) of the lines in each picture."""
        sizes = [detection_size(image.width, image.height, self.params.short_side) for image in images]
        groups: dict[tuple[int, int], list[int]] = {}
        for place, (wide, high, _) in enumerate(sizes):
            groups.setdefault((wide, high), []).append(place)
        found: dict[int, NDArray[np.float64]] = {}
        for places in groups.values():
            maps = self._networks.probabilities([prepared(images[place].bgr(), *sizes[place]) for place in places])
            for place, probability in zip(places, maps, strict=True):
                wide, high, bar = sizes[place]
                image = images[place]
                scale = np.array([image.width / wide, (image.height + 2 * bar) / high])
                boxes = boxes_of(probability) * scale - [0, bar]
                found[place] = np.clip(boxes, 0, [image.width, image.height])
        return [found[place] for place in range(len(images))]

    def _result(self, image: Image, boxes: NDArray[np.float64], readings: list[tuple[str, float]]) -> TextLines:
        good = [i for i, (text, score) in enumerate(readings) if text.strip() and score >= self.params.min_score]
        order = [good[i] for i in reading_order(boxes[good])] if good else []
        texts, scores = tuple(readings[i][0] for i in order), np.array([readings[i][1] for i in order], np.float32)
        polygons: Any = boxes[order].astype(np.float32) if order else np.zeros((0, 4, 2), np.float32)
        return TextLines(image.canvas, texts, scores, polygons)


def _outline(image: Image) -> NDArray[np.float64]:
    """The whole picture as one line: (1, 4, 2)."""
    w, h = image.width, image.height
    return np.array([[[0, 0], [w, 0], [w, h], [0, h]]], np.float64)
