"""What a run sets for the whole process: one budget of threads, and memory that is kept for the next frame."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence

from visionkit.lazy import cv2
from visionkit.pipeline.plan import Plan, StageNode
from visionkit.stage.source import Source, SourceInfo

_TRIM, _MMAP = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of glibc's malloc.h
_LARGEST = 32 << 20  # glibc allows no more
_KEPT, _KEPT_LIVE = 256 << 20, 64 << 20


def streams_for(sources: Sequence[Source], infos: Sequence[SourceInfo], workers: int, cores: int) -> int:
    """How many calls of a network shall come at a time, where that runs on the CPU.

    One for each core, with a thread of its own: none waits for another, and decoding, drawing and encoding find their
    place in between. All cores for one frame after the other where there is but one picture or one camera, whose
    frames shall be fresh.
    """
    most = min(workers, cores)
    if all(source.live for source in sources):
        return max(1, min(most, len(sources)))
    return min(most, len(infos)) if infos and all(info.kind == "image" for info in infos) else most


def workers_for(sources: Sequence[Source], cores: int) -> int | None:
    """Threads for stages that may run in parallel, where that is not to be one for each core.

    Two more where several live sources come: the threads that read those take turns with the workers, and a worker that
    waits for its turn would leave a core idle: filters on nine streams get a tenth more frames done.
    """
    return cores + 2 if sum(source.live for source in sources) > 1 else None


def limit_threads(plan: Plan, workers: int, cores: int, streams: int = 1) -> None:
    """OpenCV gets one thread where several workers call it, unless a network, perhaps its own, wants the cores."""
    networks = any(isinstance(node, StageNode) and node.kind == "batch" for node in plan.walk())
    cv2.setNumThreads(max(1, cores // streams) if networks else max(1, cores // workers))


def encoder_threads(cores: int) -> int:
    """Threads of each video encoder: half the cores.

    What it encodes is decoded and filtered at the same time: with 1.5 times the cores, which x264 would take, the run
    costs up to a tenth more and is no faster.
    """
    return max(1, cores // 2)


def keep_memory(live: bool = False) -> None:
    """Blocks of the size of pictures are kept when they are freed, where the C library is glibc.

    Otherwise every one goes back to the system and comes again page by page, cleared: up to a third of the time of a
    plan that only decodes, shrinks and encodes. ``live``: few of them, so that a process that watches a camera for days
    does not hold the most it ever held.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        if hasattr(libc, "gnu_get_libc_version"):
            libc.mallopt(_MMAP, _LARGEST)
            libc.mallopt(_TRIM, _KEPT_LIVE if live else _KEPT)
