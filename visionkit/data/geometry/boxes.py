"""Axis-aligned boxes: xyxy, float32, in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


_FAR = 1e6


def box_corners(xyxy: NDArray[np.float32]) -> NDArray[np.float64]:
    """Boxes (N, 4) → corners (N, 4, 2), clockwise from the top left."""
    boxes = np.asarray(xyxy, dtype=np.float64).reshape(-1, 4)
    return boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def hull(points: NDArray[Any]) -> NDArray[np.float32]:
    """The boxes (N, 4) around point sets (N, K, 2)."""
    points = np.asarray(points)
    if not len(points):
        return np.zeros((0, 4), np.float32)
    return np.concatenate([points.min(axis=1), points.max(axis=1)], axis=1).astype(np.float32)


def pixel_indices(points: NDArray[Any]) -> NDArray[np.int32]:
    """Points (..., 2) of a picture → the pixels they lie in, as OpenCV draws: integers that cannot overflow."""
    near = np.asarray(points, np.float64) - 0.5
    if not np.abs(near).max(initial=0.0) < _FAR:  # or not a number
        near = np.clip(np.nan_to_num(near), -_FAR, _FAR)
    return np.asarray(np.rint(near), np.int32)


def clip_boxes(xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Boxes (N, 4) cut to the picture."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(np.asarray(xyxy, np.float32).reshape(-1, 4), 0, limits)


def iou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """Intersection over union of boxes (N, 4) and (M, 4): (N, M), 0 where both are empty."""
    a = np.asarray(a, np.float64).reshape(-1, 4)
    b = np.asarray(b, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(axis=2)
    area_a = np.clip(a[:, 2:] - a[:, :2], 0, None).prod(axis=1)
    area_b = np.clip(b[:, 2:] - b[:, :2], 0, None).prod(axis=1)
    union = area_a[:, None] + area_b[None] - inter
    return np.asarray(np.divide(inter, union, out=np.zeros_like(inter), where=union > 0))
