"""Ultra-Light-Fast-Generic-Face-Detector. github.com/Linzaer/Ultra-Light-Fast-Generic-Face-Detector-1MB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """Scores (N, A, classes), of which class 0 is the background, and boxes (N, A, 4) as shares of the picture."""
    scores, boxes = (output[view.row] for output in outputs)
    class_id = scores[:, 1:].argmax(axis=1) + 1
    score = scores[:, 1:].max(axis=1)
    good = np.flatnonzero(score >= view.min_score)
    size = np.array([view.width, view.height, view.width, view.height], np.float32)
    return Found(boxes[good] * size, score[good], class_id[good].astype(np.int32))
