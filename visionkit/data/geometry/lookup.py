"""Maps that are given by a number for every pixel, and the way back where there is no formula for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.data.geometry.maps import Points


def looked_up(field: NDArray[Any], points: Points) -> Points:
    """The values (N, C) of a plane (H, W, C) at points (N, 2), linear between centres, constant beyond the edge."""
    height, width = field.shape[:2]
    x, y = np.clip(points - 0.5, 0, [width - 1, height - 1]).T
    left, top = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    along, down = (x - left)[:, None], (y - top)[:, None]
    upper = field[top, left] * (1 - along) + field[top, right] * along
    lower = field[bottom, left] * (1 - along) + field[bottom, right] * along
    return np.asarray(upper * (1 - down) + lower * down)


def numeric_inverse(forward: Callable[[Points], Points], targets: Points, start: Points, rounds: int = 20) -> Points:
    """Points (N, 2) that ``forward`` takes to ``targets``, by Newton's method with numeric derivatives.

    Ends when all are met within 1e-6. Where nothing is taken to a target (behind a fold of a strong lens
    distortion), the nearest that was found.
    """
    best = np.array(start, np.float64)
    miss = _distance(forward(best), targets)
    points, h = best.copy(), 1e-3
    for _ in range(rounds):
        if not len(miss) or miss.max() < 1e-6:
            break
        value = forward(points)
        along = (forward(points + np.array([h, 0.0])) - value) / h
        down = (forward(points + np.array([0.0, h])) - value) / h
        determinant = along[:, 0] * down[:, 1] - along[:, 1] * down[:, 0]
        determinant = np.where(np.abs(determinant) < 1e-3, 1e-3, determinant)
        gap = targets - value
        dx = (gap[:, 0] * down[:, 1] - gap[:, 1] * down[:, 0]) / determinant
        dy = (gap[:, 1] * along[:, 0] - gap[:, 0] * along[:, 1]) / determinant
        points = points + np.stack([dx, dy], axis=1)
        now = _distance(forward(points), targets)
        better = now < miss
        best[better], miss[better] = points[better], now[better]
    return best


def _distance(a: Points, b: Points) -> Any:
    return np.hypot(*(a - b).T)
