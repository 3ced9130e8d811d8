"""What of objects can be seen on a picture that shows a part of the frame, or shows it bent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from visionkit.data.detections import Detections
from visionkit.data.geometry import Canvas, clip_boxes
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def visible_on(objects: Detections, canvas: Canvas, share: float = 0.0) -> Detections:
    """The objects on another canvas of the same frame, cut to it.

    Boxes and outlines end at its edge. Keypoints beyond it keep their place and lose their score. Objects go of
    which nothing is left, or less than ``share`` of their box.

    Raises:
        DataError: one of the two canvases has no place in the frame.
    """
    moved = objects.on(canvas)
    boxes = clip_boxes(moved.xyxy, canvas.width, canvas.height)
    left = _areas(boxes)
    kept = (left > 0) & (left >= share * _areas(moved.xyxy))
    size = np.array(canvas.size, np.float32)
    outlines = None if moved.polygons is None else tuple(np.clip(p, 0, size) for p in moved.polygons)
    points = moved.keypoints
    if points is not None:
        inside = ((points[..., :2] >= 0) & (points[..., :2] < size)).all(axis=2)
        points = np.concatenate([points[..., :2], np.where(inside, points[..., 2], 0)[..., None]], axis=2)
    return replace(moved, xyxy=boxes, polygons=outlines, keypoints=points).select(kept)


def _areas(boxes: NDArray[np.float32]) -> NDArray[Any]:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).astype(np.float64).prod(axis=1))
