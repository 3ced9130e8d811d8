"""How much of every pixel is foreground, whatever says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.data import Image, Matte, SemanticMask
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def alpha_of(mask: Matte | SemanticMask, image: Image) -> NDArray[np.float32]:
    """The foreground (H, W) in 0..1 on ``image``: the matte, or every class of the mask but the first."""
    placed = mask.on(image.canvas)
    if isinstance(placed, Matte):
        return placed.alpha
    return (placed.ids > 0).astype(np.float32)


def composed(front: NDArray[np.uint8], behind: NDArray[np.uint8], alpha: NDArray[np.float32]) -> NDArray[np.uint8]:
    """``front`` where alpha is 1, ``behind`` where it is 0, mixed in between: (H, W, 3)."""
    return np.asarray(cv2.blendLinear(front, behind, alpha, 1 - alpha), np.uint8)
