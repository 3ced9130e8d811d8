"""Non-maximum suppression: the one implementation that every detector and ``objects.nms`` use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from visionkit.data.geometry import iou
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Method = Literal["hard", "soft"]


def nms(
    xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_id: NDArray[np.int32] | None,
    threshold: float,
    top_k: int | None = None,
) -> NDArray[np.intp]:
    """Which boxes stay when each suppresses the lower-scored ones that overlap it.

    Args:
        xyxy: boxes (N, 4).
        scores: (N,).
        class_id: (N,): only boxes of one class suppress each other; None for all together ("agnostic").
        threshold: boxes go if their intersection over union with a kept one is above it; 1 keeps all.
        top_k: at most so many stay.

    Returns:
        Indices (M,), best first; ties stay in the order they came.
    """
    order = np.argsort(-np.asarray(scores), kind="stable")
    if threshold < 1 and len(order) > 1:
        boxes = np.asarray(xyxy, np.float64)[order]
        boxes[:, 2:] -= boxes[:, :2]
        ranks = np.arange(len(order), 0, -1)  # in place of the scores: ties cannot reorder, zeros are not dropped
        classes = np.zeros(len(order), int) if class_id is None else np.asarray(class_id)[order]
        # lists: OpenCV's binding converts them faster than arrays
        kept = cv2.dnn.NMSBoxesBatched(boxes.tolist(), ranks.tolist(), classes.tolist(), 0.0, float(threshold))
        order = order[np.sort(np.asarray(kept, np.intp).ravel())]
    return np.asarray(order[:top_k], np.intp)


def nms_rotated(
    corners: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_id: NDArray[np.int32] | None,
    threshold: float,
    top_k: int | None = None,
) -> NDArray[np.intp]:
    """:func:`nms` for rotated boxes (N, 4, 2), corners in order around each."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    if threshold < 1 and len(order) > 1:
        points = np.asarray(corners, np.float64)[order]
        across, down = points[:, 1] - points[:, 0], points[:, 3] - points[:, 0]
        angles = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
        centres = points.mean(axis=1)
        if class_id is not None:  # classes are moved far apart from one another
            centres[:, 0] += np.asarray(class_id)[order] * 4 * (np.abs(points).max() + 1)
        sizes = np.stack([np.linalg.norm(across, axis=1), np.linalg.norm(down, axis=1)], axis=1)
        boxes = list(zip(centres.tolist(), sizes.tolist(), angles.tolist(), strict=True))
        kept = cv2.dnn.NMSBoxesRotated(boxes, list(range(len(order), 0, -1)), 0.0, float(threshold))
        order = order[np.sort(np.asarray(kept, np.intp).ravel())]
    return np.asarray(order[:top_k], np.intp)


def soft_nms(
    xyxy: NDArray[np.float32],
    scores: NDArray[np.float32],
    class_id: NDArray[np.int32] | None,
    min_score: float,
    sigma: float = 0.5,
    top_k: int | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Lowers the scores of overlapped boxes instead of dropping them (gaussian Soft-NMS, Bodla et al., ICCV 2017).

    Returns:
        Indices (M,) of boxes whose lowered score is at least ``min_score``, best first, and those scores (M,).
    """
    left = np.asarray(scores, np.float64).copy()
    overlap = iou(xyxy, xyxy)
    if class_id is not None:
        overlap = np.where(np.asarray(class_id)[:, None] == np.asarray(class_id)[None], overlap, 0.0)
    decay = np.exp(-(overlap**2) / sigma)
    kept: list[int] = []
    final: list[float] = []
    while len(left) and len(kept) != top_k:
        best = int(np.argmax(left))
        if left[best] < min_score or left[best] < 0:
            break
        kept.append(best)
        final.append(float(left[best]))
        left *= decay[best]
        left[kept] = -1.0
    return np.array(kept, np.intp), np.array(final, np.float32)
