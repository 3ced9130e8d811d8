"""From sources into the chain: files wait for credit, live sources never wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol

from visionkit.runtime.credits import Credits
from visionkit.runtime.token import Lane
from visionkit.stage.source import Frame, Source

PACKET_COPIES = 3
"""How many pictures of a frame's size a packet holds on its way, for the credits."""


class Admission(Protocol):
    """What feeders need of the engine."""

    @property
    def stopping(self) -> bool: ...
    def admit(self, lane: Lane, frame: Frame, cost: int = 0, end: bool = False, whole: bool = False) -> None: ...
    def drop(self) -> None: ...
    def abort(self, error: BaseException) -> None: ...


class Feeder:
    """Takes frames from a source as its credit allows."""

    def __init__(self, engine: Admission, lane: Lane, source: Source, credits: Credits) -> None:
        self._engine = engine
        self._lane = lane
        self._source = source
        self._credits = credits

    def run(self) -> None:
        """The body of the feeder's thread."""
        try:
            self._run()
        except BaseException as error:
            self._engine.abort(error)

    def _run(self) -> None:
        last: Frame | None = None
        whole = False
        frames: Any = self._source.frames()
        with closing(frames):
            for frame in frames:
                if self._engine.stopping:
                    break
                if last is not None and frame.info.name != last.info.name:
                    self._engine.admit(self._lane, last, end=True, whole=True)
                    last = None
                cost = frame.nbytes * PACKET_COPIES
                if not self._credits.acquire(cost):
                    break
                last = frame
                self._engine.admit(self._lane, frame, cost)
            else:
                whole = True
        if last is not None:
            self._engine.admit(self._lane, last, end=True, whole=whole)


class LiveFeeder(Feeder):
    """Takes the newest frame of a live source whenever there is credit; older ones are dropped and counted.

    The source is read by a thread of its own that is left behind when the run stops: a frozen camera may hold it for
    seconds, and nothing waits for it.
    """

    def _run(self) -> None:
        slot = Slot()
        name = f"visionkit:live:{self._lane.name}"
        threading.Thread(target=self._read, args=(slot,), name=name, daemon=True).start()
        last: Frame | None = None
        while self._credits.acquire(0):
            frame = slot.take(lambda: self._engine.stopping)
            if frame is None:
                self._credits.release(0)
                break
            last = frame
            self._engine.admit(self._lane, frame)
        if last is not None:
            self._engine.admit(self._lane, last, end=True)

    def _read(self, slot: Slot) -> None:
        frames: Any = self._source.frames()
        try:
            with closing(frames):
                for frame in frames:
                    if self._engine.stopping:
                        return
                    if slot.put(frame):
                        self._engine.drop()
        except BaseException as error:
            self._engine.abort(error)
        finally:
            slot.end()


class Slot:
    """Room for one frame: a newer one takes the place of one that nobody has taken yet."""

    def __init__(self) -> None:
        self._frame: Frame | None = None
        self._ended = False
        self._changed = threading.Condition()

    def put(self, frame: Frame) -> bool:
        """True if an older frame had to go."""
        with self._changed:
            replaced = self._frame is not None
            self._frame = frame
            self._changed.notify()
            return replaced

    def end(self) -> None:
        """No more frames will come."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def take(self, stopping: Callable[[], bool]) -> Frame | None:
        """The newest frame, as soon as there is one; None when none will come."""
        with self._changed:
            while self._frame is None and not self._ended and not stopping():
                self._changed.wait(0.1)
            frame, self._frame = self._frame, None
            return None if stopping() else frame
