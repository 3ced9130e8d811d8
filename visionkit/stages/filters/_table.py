"""Filters that give every level 0..255 a new one, whatever the pixels around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2, np


def by_table(image: Image, function: Callable[[Any], Any]) -> Image:
    """``function`` maps levels (256,) float64, 0..255; what it gives is rounded and cut to 0..255."""
    levels = np.clip(np.rint(function(np.arange(256, dtype=np.float64))), 0, 255).astype(np.uint8)
    if image.device:
        return image.placed(cuda_filters.by_table(image.tensor(image.device, "native"), levels))
    return image.replaced(cv2.LUT(image.native(), levels))
