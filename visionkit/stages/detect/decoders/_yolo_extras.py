"""What YOLO heads give beside boxes: mask coefficients, keypoints, an angle."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from visionkit.lazy import np
from visionkit.stages.detect.decoders import Found, View

if TYPE_CHECKING:
    from numpy.typing import NDArray


def found_with_extras(
    xyxy: NDArray[Any],
    score: NDArray[Any],
    class_id: NDArray[np.int32],
    extras: NDArray[Any],
    outputs: tuple[NDArray[Any], ...],
    view: View,
) -> Found:
    """Boxes with what ``extras`` (M, E) holds.

    E is the number of prototypes where the network gives masks (a second output), 1 for an angle, 3 for each keypoint.
    """
    if len(outputs) > 1 and outputs[1].ndim == 4:
        return Found(xyxy, score, class_id, masks=partial(_masks, extras, outputs[1][view.row]))
    if extras.shape[1] == 1:
        return Found(xyxy, score, class_id, corners=_corners(xyxy, extras[:, 0]))
    if extras.shape[1]:
        return Found(xyxy, score, class_id, keypoints=extras.reshape(len(extras), extras.shape[1] // 3, 3))
    return Found(xyxy, score, class_id)


def _masks(coefficients: NDArray[Any], prototypes: NDArray[Any], kept: NDArray[np.intp]) -> NDArray[np.float32]:
    """Probabilities (M, h, w): a mix of prototypes (P, h, w) for each object. YOLACT: Bolya et al., ICCV 2019."""
    count, height, width = prototypes.shape
    logits = coefficients[kept] @ prototypes.reshape(count, -1)
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -60, 60))), np.float32).reshape(-1, height, width)


def _corners(xyxy: NDArray[Any], angle: NDArray[Any]) -> NDArray[np.float32]:
    """Boxes turned about their centres by ``angle`` (M,) in radians, clockwise as the picture is seen: (M, 4, 2)."""
    centre, half = (xyxy[:, :2] + xyxy[:, 2:]) / 2, (xyxy[:, 2:] - xyxy[:, :2]) / 2
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * half[:, :1]
    across = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * half[:, 1:]
    signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return np.stack([centre + a * along + b * across for a, b in signs], axis=1).astype(np.float32)
