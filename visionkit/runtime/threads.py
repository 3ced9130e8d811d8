"""What a run sets for the whole process: one budget of threads, and memory that is kept for the next frame."""

from __future__ import annotations

import ctypes
import sys

from visionkit.lazy import cv2
from visionkit.pipeline.plan import Plan, StageNode

_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of glibc's malloc.h
_LARGEST = 32 << 20  # glibc allows no more
_KEPT = 256 << 20


def limit_threads(plan: Plan, workers: int, cores: int) -> None:
    """OpenCV gets one thread where several workers call it, unless a network, perhaps its own, wants the cores."""
    networks = any(isinstance(node, StageNode) and node.kind == "batch" for node in plan.walk())
    cv2.setNumThreads(cores if networks else max(1, cores // workers))


def keep_memory() -> None:
    """Blocks of the size of pictures are kept when they are freed, where the C library is glibc.

    Otherwise every one goes back to the system and comes again page by page, cleared: up to a third of the time of a
    plan that only decodes, shrinks and encodes. For folders of pictures: where a video's frames are all of one size,
    glibc finds that out by itself, and a process that runs for days shall not hold the most it ever held.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "gnu_get_libc_version"):
            libc.mallopt(_MMAP, _LARGEST)
            libc.mallopt(_TRIM, _KEPT)
