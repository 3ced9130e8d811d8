"""FastestDet: one prediction a cell of a 22×22 grid. github.com/dog-qiuqiu/FastestDet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View

if TYPE_CHECKING:
    from numpy.typing import NDArray


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """(N, 5 + classes, h, w): objectness, shift x and y before tanh, width and height before sigmoid, class scores."""
    cells = outputs[0][view.row]
    _, height, width = cells.shape
    scores = cells[5:].max(axis=0)
    score = cells[0] ** 0.6 * scores**0.4
    ys, xs = np.nonzero(score >= view.min_score)
    shift, size = np.tanh(cells[1:3, ys, xs]), 1 / (1 + np.exp(-cells[3:5, ys, xs]))
    scale = np.array([view.width, view.height])
    centre = ((shift + np.stack([xs, ys])) / [[width], [height]]).T * scale
    half = size.T * scale / 2
    class_id = cells[5:, ys, xs].argmax(axis=0).astype(np.int32)
    return Found(np.concatenate([centre - half, centre + half], axis=1), score[ys, xs], class_id)
