"""Regions of a labelled picture as objects with masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.data import Detections, Image, Masks, Region
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Window = tuple[int, int, int, int]


def region(image: Image, x: int, y: int, bitmap: NDArray[Any]) -> tuple[Window, Region]:
    """The window xyxy and mask of the pixels (at least one) that are set in ``bitmap``, which lies at (x, y)."""
    plane = bitmap.view(np.uint8) if bitmap.dtype == bool else bitmap
    left, top, width, height = cv2.boundingRect(plane)
    bits = (plane[top : top + height, left : left + width] != 0).astype(np.uint8)
    window = int(x + left), int(y + top), int(x + left + width), int(y + top + height)
    return window, Region(bits, image.canvas.crop(window[0], window[1], bits.shape[1], bits.shape[0]))


def objects(image: Image, found: list[tuple[Window, Region]], name: str) -> Detections:
    """Objects of class ``name`` with score 1."""
    return Detections(
        image.canvas,
        np.array([window for window, _ in found], np.float32).reshape(-1, 4),
        np.ones(len(found), np.float32),
        np.zeros(len(found), np.int32),
        (name,),
        masks=Masks(tuple(mask for _, mask in found)),
    )
