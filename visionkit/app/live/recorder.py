"""The record button: what a tile shows, as H.264 beside the other results. It never slows the run down."""

from __future__ import annotations

import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from queue import Full, Queue

from visionkit.data import Image
from visionkit.errors import VisionkitError
from visionkit.media.sinks.video import VideoFile, VideoSettings, i420
from visionkit.stage.source import SourceInfo

ROOM = 16
"""Pictures that wait for the encoder; what comes beyond is left out."""
LONGEST = 3600.0
"""Seconds after which a recording that nobody stops ends."""


class Recording:
    """One recording: call it with each picture and its time; :meth:`stop` finishes the file.

    Args:
        path: an .mp4 that does not exist yet.
        source: its name, for the file's nominal frame rate.
    """

    def __init__(self, path: Path, source: str) -> None:
        self.path = path
        self.frames = 0
        self.missed = 0
        self.problem = ""
        self._source = source
        self._queue: Queue[tuple[Image, float] | None] = Queue(ROOM)
        self._first: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="visionkit:live:record", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """False once it was stopped, reached its length or failed."""
        return not self._over.is_set()

    def __call__(self, picture: Image, at: float) -> None:
        if self._over.is_set():
            return
        try:
            self._queue.put_nowait((picture, at))
        except Full:
            self.missed += 1

    def stop(self) -> Path | None:
        """Finish; returns the file, None if there was nothing to record."""
        self._over.set()
        with suppress(Full):
            self._queue.put(None, timeout=1)
        self._thread.join(5)
        return self.path if self.path.is_file() else None

    def _work(self) -> None:
        file = VideoFile(self.path, SourceInfo(self._source, "live"), VideoSettings(speed="fast"), None, Fraction(0))
        try:
            while (item := self._queue.get()) is not None:
                self._write(file, *item)
                if self._over.is_set() and self._queue.empty():
                    break
        except VisionkitError as error:
            self.problem = error.message
        finally:
            self._over.set()
            with suppress(VisionkitError):
                file.close()

    def _write(self, file: VideoFile, picture: Image, at: float) -> None:
        first = self._first = at if self._first is None else self._first
        file.write(picture, i420(picture), Fraction(round((at - first) * 1_000_000), 1_000_000))
        self.frames += 1
        if at - first > LONGEST:
            self._over.set()
