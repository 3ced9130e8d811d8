"""From a network's mask probabilities to masks on the picture, each only where its box is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.backends import Fitted
from visionkit.data import Image, Masks, Region
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def cut_masks(maps: NDArray[np.float32], boxes: NDArray[np.float32], fitted: Fitted, image: Image) -> Masks:
    """Masks on the picture: where the probability is above a half, inside the box.

    Args:
        maps: (M, h, w), each over the whole input of the network.
        boxes: (M, 4) on the picture, inside it.
        fitted: how the picture became the input.
        image: the picture.
    """
    low = np.floor(boxes[:, :2]).astype(int)
    high = np.maximum(np.ceil(boxes[:, 2:]).astype(int), low + 1)
    low = np.minimum(low, [image.width - 1, image.height - 1])
    windows = np.concatenate([low, np.minimum(high, [image.width, image.height])], axis=1)
    pairs = zip(maps, windows.tolist(), strict=True)
    return Masks(tuple(_cut(map_, window, fitted, image) for map_, window in pairs))


def _cut(map_: NDArray[np.float32], window: list[int], fitted: Fitted, image: Image) -> Region:
    """One mask, resampled from its map to the window of its box in one step."""
    x1, y1, x2, y2 = window
    rows, cols = fitted.pixels.shape[:2]
    step = np.array([map_.shape[1] / cols, map_.shape[0] / rows])  # pixels of the map per pixel of the input
    scale = step / fitted.scale  # ... per pixel of the picture
    start = (np.array([x1, y1]) + 0.5) * scale + np.array(fitted.offset) * step - 0.5
    matrix = np.array([[scale[0], 0, start[0]], [0, scale[1], start[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(map_, matrix, (x2 - x1, y2 - y1), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return Region((inside > 0.5).astype(np.uint8), image.canvas.crop(x1, y1, x2 - x1, y2 - y1))
