"""Lengths and areas in pixels of the source frame, which is what expressions and tables speak."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.data import Canvas
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def on_frame(points: NDArray[np.float64], canvas: Canvas) -> NDArray[np.float64]:
    """Points (N, 2) of a canvas as points of its frame; as they are where there is no way to it."""
    return points if canvas.to_frame is None or canvas.is_frame else np.asarray(canvas.lift(points), np.float64)
