"""Filters of brightness alone, applied to colour pictures without touching their hue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visionkit.data import Image
from visionkit.lazy import cv2


def on_lightness(image: Image, function: Callable[[Any], Any]) -> Image:
    """``function`` of the grey plane (H, W) uint8, or of the L plane (CIE Lab) of a colour picture."""
    if image.is_gray:
        return image.replaced(function(image.gray()))
    lab = cv2.cvtColor(image.bgr(), cv2.COLOR_BGR2LAB)
    lab[..., 0] = function(lab[..., 0])
    return image.replaced(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))
