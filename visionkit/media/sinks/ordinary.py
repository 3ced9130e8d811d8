"""Threads that an encoder makes real-time are made ordinary again."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def ordinary() -> Iterator[None]:
    """What becomes real-time meanwhile, the calling thread included, is turned back.

    SVT-AV1 asks for the highest real-time priority there is when root calls it, as in a container: for its own threads
    and for its caller, which hands it on to all that it starts. Nothing else on the machine would run beside them.
    Who was real-time before, by ``chrt``, stays so.
    """
    if sys.platform != "linux" or _is_real_time(0):
        yield
        return
    try:
        yield
    finally:
        for thread in (int(task.name) for task in Path("/proc/self/task").iterdir()):
            with suppress(OSError):  # it has ended
                if _is_real_time(thread):
                    os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))


if sys.platform == "linux":

    def _is_real_time(thread: int) -> bool:
        return os.sched_getscheduler(thread) & 0xFF in (os.SCHED_FIFO, os.SCHED_RR)  # flags lie above
