"""YOLO v10, 26 and their kin with the head that needs no NMS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View
from visionkit.stages.detect.decoders._yolo_extras import found_with_extras

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """(N, 300, 6 + extras): x1, y1, x2, y2 in pixels, score, class, extras."""
    rows = outputs[0][view.row]
    rows = rows[rows[:, 4] >= view.min_score]
    boxes, score, class_id = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int32)
    return found_with_extras(boxes, score, class_id, rows[:, 6:], outputs, view)
