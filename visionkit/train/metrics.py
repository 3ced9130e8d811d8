"""How good a network is on pictures it has not seen."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from visionkit.frozen import Frozen
from visionkit.lazy import load, np
from visionkit.train.samples import Sample

if TYPE_CHECKING:
    from torch import Tensor


class BoxScores(Frozen):
    """Average precision at an overlap (IoU) of at least 0.5: its mean over the classes, and each class's."""

    map50: float
    per_class: Mapping[str, float]


class PixelScores(Frozen):
    """Over all pixels of all pictures together: of the thing, and F1 of what is not the thing."""

    iou: float
    f1: float
    background_f1: float


def box_scores(found: Sequence[Mapping[str, Tensor]], samples: Sequence[Sample], classes: Sequence[str]) -> BoxScores:
    """COCO's average precision (pycocotools, at most 100 boxes a picture) at IoU 0.5.

    Args:
        found: per sample ``boxes`` N×4 xyxy, ``labels`` N from 1, ``scores`` N.
        samples: the truth, in the same order.
        classes: names of the labels 1, 2, 3 ...
    """
    coco, cocoeval = load("pycocotools.coco"), load("pycocotools.cocoeval")
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports with print
        truth = coco.COCO()
        truth.dataset = {
            "images": [{"id": number} for number in range(len(samples))],
            "categories": [{"id": number} for number in range(1, len(classes) + 1)],
            "annotations": _rows([{"boxes": s.boxes, "labels": s.labels} for s in samples], iscrowd=0),
        }
        truth.createIndex()
        rows = _rows(found)
        if not rows:
            return BoxScores(0.0, dict.fromkeys(classes, 0.0))
        scorer = cocoeval.COCOeval(truth, truth.loadRes(rows), "bbox")
        scorer.params.iouThrs = np.array([0.5])
        scorer.evaluate()
        scorer.accumulate()
    precision = scorer.eval["precision"][0, :, :, 0, -1]  # recall × class, all sizes, 100 boxes
    each = {name: float(precision[:, number].mean()) for number, name in enumerate(classes)}
    present = [value for value in each.values() if value >= 0]  # -1: none of this class in the truth
    return BoxScores(sum(present) / len(present), each)


def _rows(pictures: Sequence[Mapping[str, Tensor]], **extra: Any) -> list[dict[str, Any]]:
    """COCO's rows: one a box, as x, y, width, height."""
    rows: list[dict[str, Any]] = []
    for image, columns in enumerate(pictures):
        boxes, labels = columns["boxes"].tolist(), columns["labels"].tolist()
        scores = columns["scores"].tolist() if "scores" in columns else [1.0] * len(boxes)
        for (x0, y0, x1, y1), label, score in zip(boxes, labels, scores, strict=True):
            box = [x0, y0, x1 - x0, y1 - y0]
            area = box[2] * box[3]
            rows.append({"id": len(rows) + 1, "image_id": image, "category_id": label, "bbox": box, "area": area})
            rows[-1] |= {"score": score, **extra}
    return rows


def pixel_scores(found: Sequence[Tensor], truth: Sequence[Tensor]) -> PixelScores:
    """Pixel counts of boolean H×W masks, pooled over all pictures."""
    pairs = list(zip(found, truth, strict=True))
    both = sum(int((a & b).sum()) for a, b in pairs)
    wrong = sum(int((a ^ b).sum()) for a, b in pairs)
    neither = sum(int((~a & ~b).sum()) for a, b in pairs)
    return PixelScores(both / (both + wrong), 2 * both / (2 * both + wrong), 2 * neither / (2 * neither + wrong))
