"""YOLOv5 as it was first exported, with an objectness beside the class scores; YOLOv7 as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View
from visionkit.stages.detect.decoders.yolo import picked

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """(N, A, 5 + classes): centre x, centre y, width, height in pixels, objectness, a score for each class."""
    rows = outputs[0][view.row]
    rows = rows[rows[:, 4] >= view.min_score]
    class_id, good, score = picked((rows[:, 5 : 5 + view.classes] * rows[:, 4:5]).T, view)
    centre, half = rows[good, :2], rows[good, 2:4] / 2
    return Found(np.concatenate([centre - half, centre + half], axis=1), score, class_id)
