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
    scores = columns[4 : 4 + view.classes]
    class_id, score = scores.argmax(axis=0), scores.max(axis=0)
    good = np.flatnonzero(score >= view.min_score)
    rows = columns[:, good].T
    centre, half = rows[:, :2], rows[:, 2:4] / 2
    xyxy = np.concatenate([centre - half, centre + half], axis=1)
    extras = rows[:, 4 + view.classes :]
    return found_with_extras(xyxy, score[good], class_id[good].astype(np.int32), extras, outputs, view)
