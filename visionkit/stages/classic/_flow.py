"""What both optical flows share: the picture before, and the field's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visionkit.data import ABSENT, Field, Image
from visionkit.lazy import np

SMALLEST = 12
"""Pixels along a side below which nothing can be seen to move (and DIS refuses to look): the flow is zero."""


class Motion:
    """Remembers the picture before and compares.

    ``calc(now, before)`` gives for each pixel of ``now`` (H, W) uint8 the way (dx, dy) to its place in ``before``.
    """

    def __init__(self, calc: Callable[[Any, Any], Any]) -> None:
        self._calc = calc
        self._before: Any = None

    def field(self, image: Image) -> Field:
        """How far each pixel of the picture has come since the one before; absent for the first."""
        before, self._before = self._before, image.gray()
        if before is None or before.shape != self._before.shape:
            return ABSENT  # type: ignore[return-value]  # nothing to compare with
        if min(before.shape) < SMALLEST:
            return Field(image.canvas, np.zeros((*before.shape, 2), np.float32), "flow")
        return Field(image.canvas, -self._calc(self._before, before), "flow")
