"""What of a YOLO's outputs cannot survive is dropped on the device: a hundredth of the bytes comes down.

What is left goes through the same decoder and the same suppression as everywhere. They would have dropped the same
columns: a box is suppressed by one that stays, so without those that go the others' fate is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from visionkit.backends.cuda_nms import kept
from visionkit.data.device import fetched
from visionkit.frozen import Frozen
from visionkit.lazy import np, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Outputs = tuple[NDArray[Any], ...]


class Rules(Frozen):
    """What survives.

    Attributes:
        classes: how many the network knows.
        min_score: boxes that score lower go.
        iou: see :func:`visionkit.backends.nms`; None: nothing is suppressed here.
        wanted: classes to keep, None for all.
        agnostic: boxes of different classes suppress each other as well.
        multi_label: a box counts for every class it scores well enough for.
    """

    classes: int
    min_score: float
    iou: float | None
    wanted: Sequence[int] | None = None
    agnostic: bool = False
    multi_label: bool = False


def thinned(outputs: Sequence[Any], rules: Rules) -> list[Outputs]:
    """Outputs of a batch, as tensors, to arrays for each picture by itself: fetched once.

    Args:
        outputs: first (N, 4 + classes + extras, A): centre x, centre y, width, height, scores, extras.
        rules: what survives.

    Returns:
        For each picture (1, 4 + classes + extras, M), the columns in their order, and its part of the other outputs.
    """
    raw, *others = outputs
    count, _, anchors = raw.shape
    picture, column, class_id, score = _candidates(raw, rules)
    place = picture * anchors + column
    rotated = raw.shape[1] == 4 + rules.classes + 1  # overlaps of turned boxes are not for the device
    if rules.iou is not None and not rotated:
        rows = raw[picture, :4, column]
        half = rows[:, 2:] / 2
        boxes = torch.cat([rows[:, :2] - half, rows[:, :2] + half], 1)
        group = picture if rules.agnostic else picture * rules.classes + class_id
        place = place[kept(boxes, score, group, rules.iou)]
    place = torch.unique(place)  # sorted, and once where a box counts for several classes
    columns = raw[place // anchors, :, place % anchors]
    places, rows_, *more = fetched([place, columns, *others])
    ends = np.searchsorted(places, np.arange(count + 1) * anchors)
    return [(rows_[ends[n] : ends[n + 1]].T[None], *(other[n : n + 1] for other in more)) for n in range(count)]


def _candidates(raw: Any, rules: Rules) -> tuple[Any, Any, Any, Any]:
    """Picture, column, class and score of what scores well enough, in the order of the decoder."""
    scores = raw[:, 4 : 4 + rules.classes]
    if rules.multi_label:
        good = _allowed(scores >= rules.min_score, rules.wanted)
        picture, class_id, column = good.nonzero(as_tuple=True)
        return picture, column, class_id, scores[picture, class_id, column]
    best, label = scores.max(1)
    good = best >= rules.min_score
    if rules.wanted is not None:
        good &= torch.isin(label, torch.tensor(rules.wanted, device=raw.device))
    picture, column = good.nonzero(as_tuple=True)
    return picture, column, label[picture, column], best[picture, column]


def _allowed(good: Any, wanted: Sequence[int] | None) -> Any:
    if wanted is None:
        return good
    mask = torch.zeros(good.shape[1], dtype=torch.bool, device=good.device)
    mask[list(wanted)] = True
    return good & mask[:, None]
