"""Connecting and letting go again and again leaves no thread and no file open."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.live.conftest import RtspServer, measured
from tests.live.test_streams import resident
from visionkit.media.sources import SourceOptions, open_sources

pytestmark = pytest.mark.alone
ROUNDS = 3


def held() -> tuple[int, int]:
    """Threads and open files of this process."""
    return threading.active_count(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_twenty_interleaved_connections(rtsp: Callable[..., RtspServer]) -> None:
    server = rtsp(streams=2)

    def take(stream: int, count: int) -> None:
        (source,) = open_sources([server.url(stream)], SourceOptions())
        with closing(source.frames()) as frames:  # type: ignore[type-var]
            for _ in range(count):
                next(frames)

    def interleaved(count: int) -> None:
        threads = []
        for number in range(count):  # each begins before the one before it ends
            threads.append(threading.Thread(target=take, args=(number % 2, 8)))
            threads[-1].start()
            if number:
                threads[-2].join(20)
        threads[-1].join(20)

    interleaved(10)
    before, memory = settled(held()), [resident()]
    for _ in range(ROUNDS):
        interleaved(20)
        assert settled(before) == before
        memory.append(resident())
        if memory[-1] < memory[-2] + 3:
            break
    measured.info("memory, each after 20 more connections: %s MB", ", ".join(f"{mb:.1f}" for mb in memory))
    assert memory[-1] < memory[-2] + 3, "a leak grows every time"


def settled(wanted: tuple[int, int]) -> tuple[int, int]:
    """What is held once nothing changes any more, or after ten seconds."""
    deadline = time.monotonic() + 10
    while (found := held()) > wanted and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    return held() if found > wanted else min(found, held())
