"""Downloads the next files of a lane while earlier ones are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from visionkit.media.remote.places import fetch

AT_ONCE = 16
HELD = 64 << 20
"""Bytes that may wait for their turn."""


def ahead(files: Iterable[tuple[str, int]]) -> Iterator[Callable[[], bytes]]:
    """For each address, with its size in bytes, a function that waits for what lies there."""
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="visionkit:fetch")
    waiting: deque[tuple[Future[bytes], int]] = deque()
    held = 0
    try:
        for url, size in files:
            waiting.append((pool.submit(fetch, url), size))
            held += size
            while len(waiting) > 2 * AT_ONCE or (held > HELD and len(waiting) > 1):
                future, size = waiting.popleft()
                held -= size
                yield future.result
        while waiting:
            yield waiting.popleft()[0].result
    finally:
        for future, _ in waiting:  # what was given away is still to come
            future.cancel()
        pool.shutdown(wait=False)
