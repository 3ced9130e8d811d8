"""Large pictures in windows that overlap, put together so that no seam shows."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple


class Window(NamedTuple):
    """One window along a side, in pixels: from ``start`` to ``stop`` is looked at, ``low`` to ``high`` is kept."""

    start: int
    stop: int
    low: int
    high: int


def windows(side: int, most: int, reach: int, stride: int) -> list[Window]:
    """Windows of one length that cover ``side``; what is kept of each adds up to it.

    Args:
        side: pixels, a multiple of ``stride``.
        most: the longest window; more than ``2 * reach + stride``.
        reach: how far from a pixel the network looks; what is kept is so far from an inner end of its window.
        stride: windows start at multiples of it.
    """
    length = min(side, most // stride * stride)
    if length == side:
        return [Window(0, side, 0, side)]
    count = math.ceil((side - length) / (length - 2 * reach - stride)) + 1
    starts = [round(i * (side - length) / (count - 1) / stride) * stride for i in range(count)]
    middles = [(later + before + length) // 2 for before, later in pairwise(starts)]
    kept = zip([0, *middles], [*middles, side], strict=True)
    return [Window(start, start + length, low, high) for start, (low, high) in zip(starts, kept, strict=True)]
