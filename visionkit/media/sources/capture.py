"""One connection to a camera or stream, read by a thread of its own that can be left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from queue import Empty, Full, Queue
from typing import NamedTuple

from visionkit.data import Image
from visionkit.errors import SourceError
from visionkit.media.redact import redact_text
from visionkit.media.sources.headers import MAX_PIXELS
from visionkit.media.sources.video import failing

WAITING = 8
"""Pictures between the two threads; the one that reads the device hardly ever finds it full."""
GLANCE = 0.2
"""Seconds after which a waiting thread looks whether it is still wanted."""


class Picture(NamedTuple):
    """A picture of a device: how to get it, its size in pixels, when it came in (``time.monotonic``)."""

    load: Callable[[], Image]
    width: int
    height: int
    captured: float

    @classmethod
    def within(cls, load: Callable[[], Image], width: int, height: int, captured: float) -> Picture:
        """One whose ``load`` raises SourceError where it has more pixels than anybody means to process."""
        if width * height > MAX_PIXELS:
            load = failing(SourceError(f"a frame of {width}×{height} pixels is too large"))
        return cls(load, width, height, captured)


class Refused(SourceError):
    """The device answered, and trying again would not help: a wrong password, no video in it."""


class Capture:
    """Reads ``pictures``. A device that hangs holds this thread only: :meth:`abandon` it and open another.

    Args:
        name: for the thread's name; no credentials.
        pictures: opens the device and yields its pictures. Raises SourceError where it fails; its end is the end of
            the source.
    """

    def __init__(self, name: str, pictures: Callable[[], Iterator[Picture]]) -> None:
        self._pictures = pictures
        self._queue: Queue[Picture | SourceError | None] = Queue(WAITING)
        self._abandoned = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"visionkit:capture:{name}", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """True while the thread lives, abandoned or not."""
        return self._thread.is_alive()

    def next(self, seconds: float) -> Picture | SourceError | None:
        """The next picture, or why there are no more (None: the source has ended).

        Raises:
            TimeoutError: nothing came for so long.
        """
        try:
            return self._queue.get(timeout=max(0.0, seconds))
        except Empty:
            raise TimeoutError from None

    def abandon(self) -> None:
        """Nobody will ask for more. The thread closes the device as soon as it gets hold of it again."""
        self._abandoned.set()

    def _run(self) -> None:
        last: SourceError | None = None
        try:
            with closing(self._pictures()) as pictures:  # type: ignore[type-var]
                for picture in pictures:
                    if not self._put(picture):
                        return
        except SourceError as error:
            last = error
        except Exception as error:  # noqa: BLE001  whatever a driver raises is the loss of this connection
            last = SourceError(redact_text(f"{type(error).__name__}: {error}"))
        self._put(last)

    def _put(self, item: Picture | SourceError | None) -> bool:
        """False if nobody wants it."""
        while not self._abandoned.is_set():
            try:
                self._queue.put(item, timeout=GLANCE)
            except Full:
                continue
            return True
        return False


def now() -> float:
    """The clock of ``Picture.captured``."""
    return time.monotonic()
