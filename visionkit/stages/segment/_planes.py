"""From a network's planes to planes on the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.backends import Fitted
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def probabilities(logits: NDArray[Any], activation: str) -> NDArray[np.float32]:
    """Logits (C, h, w) → probabilities: "softmax" over the classes, "sigmoid" for each, or "none"."""
    planes = np.asarray(logits, np.float32)
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(planes, -60, 60))), np.float32)
    if activation == "softmax":
        powers = np.exp(planes - planes.max(axis=0))
        return np.asarray(powers / powers.sum(axis=0), np.float32)
    return planes


def on_picture(plane: NDArray[np.float32], fitted: Fitted, width: int, height: int) -> NDArray[np.float32]:
    """A plane (h, w) over the network's whole input → (height, width) of the picture, letterbox bars left out."""
    rows, cols = fitted.pixels.shape[:2]
    step = np.array([plane.shape[1] / cols, plane.shape[0] / rows])  # pixels of the plane per pixel of the input
    scale = step / fitted.scale  # ... per pixel of the picture
    start = 0.5 * scale + np.array(fitted.offset) * step - 0.5
    matrix = np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(plane, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def best_class(
    planes: NDArray[np.float32], fitted: Fitted, width: int, height: int
) -> tuple[NDArray[np.uint8 | np.int32], NDArray[np.float32]]:
    """The most probable class of every pixel of the picture (height, width), and its probability.

    Only the planes of classes that win somewhere are enlarged, one after the other: hundreds of classes cost no memory.
    """
    dtype = np.uint8 if len(planes) <= 256 else np.int32
    ids, score = np.zeros((height, width), dtype), np.full((height, width), -1.0, np.float32)
    for class_id in np.unique(planes.argmax(axis=0)).tolist():
        plane = on_picture(planes[class_id], fitted, width, height)
        better = plane > score
        ids[better] = class_id
        np.maximum(score, plane, out=score)
    return ids, score
