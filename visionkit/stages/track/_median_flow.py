"""Where a box has gone from one frame to the next, by the points in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

GRID = 12  # points along each side
FEWEST = 12  # points that must come home
FARTHEST = 5.0  # pixels that a point may miss its home by, at the median


def moved_box(before: Pixels, after: Pixels, box: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The box (4,) xyxy of grey frame ``before`` (H, W) on ``after``; None if what is in it cannot be found again."""
    start = _grid(box)
    there, found = _follow(before, after, start)
    back, returned = _follow(after, before, there)
    error = np.linalg.norm(back - start, axis=1)
    home = found & returned & np.isfinite(error)
    if home.sum() < FEWEST or float(np.median(error[home])) > FARTHEST:
        return None
    home &= error <= np.median(error[home])
    start, there = start[home].astype(np.float64), there[home].astype(np.float64)
    shift = np.median(there - start, axis=0)
    centre, half = (box[:2] + box[2:]) / 2 + shift, (box[2:] - box[:2]) / 2 * _growth(start, there)
    return np.concatenate([centre - half, centre + half])


def _grid(box: NDArray[np.float64]) -> NDArray[np.float32]:
    """Points (N, 2) spread over a box, as OpenCV counts pixels."""
    xs, ys = (np.linspace(low, high, GRID + 2)[1:-1] for low, high in zip(box[:2], box[2:], strict=True))
    points = np.stack(np.meshgrid(xs, ys), axis=2).reshape(-1, 2)
    return np.asarray(points - 0.5, np.float32)


def _follow(
    first: Pixels, second: Pixels, points: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    size = min(15, *first.shape) | 1
    moved, status, _ = cv2.calcOpticalFlowPyrLK(first, second, points, points.copy(), winSize=(size, size), maxLevel=3)
    return np.asarray(moved, np.float32).reshape(-1, 2), np.asarray(status).ravel() == 1


def _growth(start: NDArray[np.float64], there: NDArray[np.float64]) -> float:
    """By how much the distances between points have grown, at the median."""
    a, b = np.triu_indices(len(start), 1)
    first, second = (np.hypot(*(points[a] - points[b]).T) for points in (start, there))
    apart = first > 1
    return float(np.median(second[apart] / first[apart])) if apart.any() else 1.0
