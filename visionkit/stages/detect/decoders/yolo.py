"""YOLO v8, 11 and their kin, and v5u: boxes, masks, keypoints and rotated boxes, before NMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View
from visionkit.stages.detect.decoders._yolo_extras import found_with_extras

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """(N, 4 + classes + extras, A): centre x, centre y, width, height in pixels, a score for each class, extras."""
    columns = outputs[0][view.row]
    class_id, good, score = picked(columns[4 : 4 + view.classes], view)
    rows = columns[:, good].T
    centre, half = rows[:, :2], rows[:, 2:4] / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1)
    return found_with_extras(xyxy, score, class_id, rows[:, 4 + view.classes :], outputs, view)


def picked(scores: NDArray[Any], view: View) -> tuple[NDArray[np.int32], NDArray[np.intp], NDArray[np.float32]]:
    """Class, place and score of what scores (classes, A) well enough: the best class of each box, or all."""
    if view.multi_label:
        class_id, good = np.nonzero(scores >= view.min_score)
        return class_id.astype(np.int32), good, scores[class_id, good]
    best = scores.max(axis=0)
    good = np.flatnonzero(best >= view.min_score)
    return scores[:, good].argmax(axis=0).astype(np.int32), good, best[good]
