"""Cutting objects out of a picture for ``for_each``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from visionkit.data import Detections, Image
from visionkit.data.geometry import Homography, to_cv2
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SIDE = 8192


def cut(image: Image, objects: Detections, pad: float) -> list[Image | None]:
    """The crop of every object, in order; None where it lies outside the picture.

    ``pad`` is added on each side, as a share of the box. Axis-aligned boxes are cut to whole pixels (views, nothing is
    copied); rotated boxes are turned upright.
    """
    on = objects.on(image.canvas)
    if on.corners is not None:
        return [_upright(image, corners, pad) for corners in on.corners]
    sizes = on.xyxy[:, 2:] - on.xyxy[:, :2]
    low = np.floor(on.xyxy[:, :2] - sizes * pad + 1e-4)
    high = np.ceil(on.xyxy[:, 2:] + sizes * pad - 1e-4)
    limits = np.array([image.width, image.height], np.float32)
    windows = np.concatenate([np.clip(low, 0, limits), np.clip(high, 0, limits)], axis=1).astype(int).tolist()
    return [image.crop(x1, y1, x2 - x1, y2 - y1) if x2 > x1 and y2 > y1 else None for x1, y1, x2, y2 in windows]


def _upright(image: Image, corners: NDArray[np.float32], pad: float) -> Image | None:
    """The quadrilateral (4, 2), clockwise from its top left, as an upright picture."""
    quad = corners.astype(np.float64)
    width = (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2
    height = (math.dist(quad[0], quad[3]) + math.dist(quad[1], quad[2])) / 2
    if not (1 <= width <= MAX_SIDE and 1 <= height <= MAX_SIDE):
        return None
    size = max(1, round(width * (1 + 2 * pad))), max(1, round(height * (1 + 2 * pad)))
    left, top = size[0] * pad / (1 + 2 * pad), size[1] * pad / (1 + 2 * pad)
    inner = np.array([[left, top], [size[0] - left, top], [size[0] - left, size[1] - top], [left, size[1] - top]])
    step = Homography(cv2.getPerspectiveTransform(inner.astype(np.float32), quad.astype(np.float32)))
    matrix = to_cv2(step)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    pixels = cv2.warpPerspective(image.native(), matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return image.replaced(np.asarray(pixels), image.canvas.derive(size[0], size[1], step))
