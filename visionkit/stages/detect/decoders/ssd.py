"""TensorFlow's object-detection graphs as OpenCV runs them: decoded and thinned out inside the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """Rows of seven: picture in the batch, class, score, and the box x1, y1, x2, y2 as shares of the picture."""
    rows = outputs[0].reshape(-1, 7)
    rows = rows[(rows[:, 0] == view.row) & (rows[:, 2] >= view.min_score)]
    size = np.array([view.width, view.height, view.width, view.height], np.float32)
    return Found(rows[:, 3:7] * size, rows[:, 2], rows[:, 1].astype(np.int32))
