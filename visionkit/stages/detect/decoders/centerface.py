"""CenterFace: faces and five landmarks as peaks of a heat map. Xu et al., 2019, arXiv:1911.03599."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRIDE = 4


def decode(outputs: tuple[NDArray[Any], ...], view: View) -> Found:
    """Maps at a quarter of the size: heat (N, 1, h, w), log of height and width, shift y and x, ten of landmarks."""
    heat, log_size, shift, marks = (output[view.row] for output in outputs)
    ys, xs = np.nonzero(heat[0] >= view.min_score)
    high, wide = np.exp(log_size[:, ys, xs]) * STRIDE
    dy, dx = shift[:, ys, xs]
    x1, y1 = (xs + dx + 0.5) * STRIDE - wide / 2, (ys + dy + 0.5) * STRIDE - high / 2
    score = heat[0, ys, xs]
    points = marks[:, ys, xs].T.reshape(len(ys), 5, 2)
    across = points[..., 1] * wide[:, None] + x1[:, None]
    down = points[..., 0] * high[:, None] + y1[:, None]
    keypoints = np.stack([across, down, np.repeat(score[:, None], 5, axis=1)], axis=2)
    boxes = np.stack([x1, y1, x1 + wide, y1 + high], axis=1)
    return Found(boxes, score, np.zeros(len(ys), np.int32), keypoints=keypoints)
