"""Regions that are grouped, the most alike neighbours first, until one is left (selective search)."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from visionkit.frozen import Frozen
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLOURS, DIRECTIONS = 25, 8  # bins a channel


class Region(Frozen, eq=False):
    """``size`` in pixels, ``box`` xyxy, ``look``: histograms of colour and of gradients, each adding up to 1."""

    size: int
    box: tuple[int, int, int, int]
    look: NDArray[np.float64]

    def joined(self, other: Region) -> Region:
        """Both together."""
        size = self.size + other.size
        low = [min(a, b) for a, b in zip(self.box[:2], other.box[:2], strict=True)]
        high = [max(a, b) for a, b in zip(self.box[2:], other.box[2:], strict=True)]
        look = (self.look * self.size + other.look * other.size) / size
        return Region(size, (*low, *high), look)  # type: ignore[arg-type]  # two and two are four

    def likeness(self, other: Region, whole: int) -> float:
        """Alike in colour and texture, small, and filling the box around both: each from 0 to 1."""
        x1, y1 = min(self.box[0], other.box[0]), min(self.box[1], other.box[1])
        x2, y2 = max(self.box[2], other.box[2]), max(self.box[3], other.box[3])
        both = self.size + other.size
        fill = 1 - ((x2 - x1) * (y2 - y1) - both) / whole
        return float(np.minimum(self.look, other.look).sum()) + (1 - both / whole) + fill


def regions_of(labels: NDArray[np.int64], lab: NDArray[np.uint8]) -> list[Region]:
    """One region for each label 0, 1, ... of a map (H, W); ``lab`` is the picture (H, W, 3) in CIE Lab."""
    count, flat = int(labels.max()) + 1, labels.ravel()
    sizes = np.bincount(flat, minlength=count)
    looks = [_histograms(flat, lab[..., c].ravel().astype(int) * COLOURS // 256, COLOURS, count) for c in range(3)]
    for channel in range(3):
        plane = lab[..., channel].astype(np.float32)
        angle = cv2.phase(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
        bins = np.minimum(angle.ravel() * DIRECTIONS / (2 * np.pi), DIRECTIONS - 1).astype(int)
        looks.append(_histograms(flat, bins, DIRECTIONS, count))
    look = np.concatenate(looks, axis=1) / (3 * np.maximum(sizes, 1)[:, None])
    return [Region(int(sizes[i]), box, look[i]) for i, box in enumerate(_boxes(labels, count))]


def _histograms(labels: Any, bins: Any, width: int, count: int) -> Any:
    return np.bincount(labels * width + bins, minlength=count * width).reshape(count, width)


def _boxes(labels: NDArray[np.int64], count: int) -> list[tuple[int, int, int, int]]:
    rows, columns = np.indices(labels.shape)
    ends = []
    for values in (columns, rows):
        low, high = np.full(count, values.size), np.zeros(count, int)
        np.minimum.at(low, labels.ravel(), values.ravel())
        np.maximum.at(high, labels.ravel(), values.ravel() + 1)
        ends.append((low.tolist(), high.tolist()))
    (left, right), (top, bottom) = ends
    return list(zip(left, top, right, bottom, strict=True))


def neighbours_of(labels: NDArray[np.int64]) -> set[tuple[int, int]]:
    """Pairs of labels that touch, the smaller one first."""
    across = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1)
    down = np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1)
    pairs = np.concatenate([across, down])
    pairs = np.sort(pairs[pairs[:, 0] != pairs[:, 1]], axis=1)
    return {(int(a), int(b)) for a, b in np.unique(pairs, axis=0)}


def grouped(regions: list[Region], pairs: set[tuple[int, int]], whole: int) -> list[Region]:
    """The regions and, after them, all that came about by joining them, in that order."""
    found, near = list(regions), {number: set[int]() for number in range(len(regions))}
    for a, b in pairs:
        near[a].add(b)
        near[b].add(a)
    queue = [(-found[a].likeness(found[b], whole), a, b) for a, b in pairs]
    heapq.heapify(queue)
    while queue:
        _, a, b = heapq.heappop(queue)
        if a not in near or b not in near:
            continue  # one of them is part of something larger by now
        new, around = len(found), (near.pop(a) | near.pop(b)) - {a, b}
        found.append(found[a].joined(found[b]))
        near[new] = around
        for other in around:
            near[other] = (near[other] - {a, b}) | {new}
            heapq.heappush(queue, (-found[new].likeness(found[other], whole), other, new))
    return found
