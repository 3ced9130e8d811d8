"""Filters that give every level 0..255 a new one, whatever the pixels around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visionkit.data import Image
from visionkit.lazy import cv2, np


def by_table(image: Image, function: Callable[[Any], Any]) -> Image:
    """``function`` maps levels (256,) float64, 0..255; what it gives is rounded and cut to 0..255."""
    levels = np.clip(np.rint(function(np.arange(256, dtype=np.float64))), 0, 255).astype(np.uint8)
    return image.replaced(cv2.LUT(image.native(), levels))
