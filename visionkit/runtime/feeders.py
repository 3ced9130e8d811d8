"""From sources into the chain: files wait for credit, live sources never wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from time import perf_counter_ns
from typing import Any, Protocol

from visionkit.runtime.credits import Credits
from visionkit.runtime.metrics import Meter
from visionkit.runtime.token import Lane
from visionkit.stage.source import End, Frame, Gap, Interruptible, Source

PACKET_COPIES = 3
"""How many pictures of a frame's size a packet holds on its way, for the credits."""


READ = "source:read"
"""Where the time goes that a source of files takes for its next frame."""
PATIENCE = 1.0
"""Seconds that the end of a run waits for a live source to let go."""


class Admission(Protocol):
    """What feeders need of the engine."""

    @property
    def stopping(self) -> bool: ...
    def admit(self, lane: Lane, frame: Frame, cost: int = 0, end: bool = False, whole: bool = False) -> None: ...
    def miss(self, lane: Lane, gap: Gap) -> None: ...
    def drop(self, lane: Lane, frames: int) -> None: ...
    def abort(self, error: BaseException) -> None: ...
    def meter(self, name: str) -> Meter: ...


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
        meter = self._engine.meter(READ)
        with closing(frames):
            begun = perf_counter_ns()
            for frame in frames:
                meter.add(begun)
                if self._engine.stopping:
                    break
                if last is not None and (isinstance(frame, End) or frame.info.name != last.info.name):
                    self._engine.admit(self._lane, last, end=True, whole=True)
                    last = None
                if isinstance(frame, End):
                    begun = perf_counter_ns()
                    continue
                cost = frame.nbytes * PACKET_COPIES
                if not self._credits.acquire(cost):
                    break
                last = frame
                self._engine.admit(self._lane, frame, cost)
                begun = perf_counter_ns()
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
        reader = threading.Thread(target=self._read, args=(slot,), name=name, daemon=True)
        reader.start()
        last: Frame | None = None
        while (item := self._next(slot)) is not None:
            if isinstance(item, Gap):
                self._engine.miss(self._lane, item)
            else:
                last = item
                self._engine.admit(self._lane, item)
        self._leave(slot, reader)
        if last is not None:
            self._engine.admit(self._lane, last, end=True)

    def _next(self, slot: Slot) -> Frame | Gap | None:
        """What comes next, as soon as there is room for it; a frame keeps the credit that it took."""
        if not self._credits.acquire(0):
            return None
        item = slot.take(lambda: self._engine.stopping)
        if not isinstance(item, Frame):
            self._credits.release(0)
        return item

    def _leave(self, slot: Slot, reader: threading.Thread) -> None:
        self._engine.drop(self._lane, slot.close())
        if isinstance(self._source, Interruptible):
            self._source.interrupt()
            reader.join(PATIENCE)

    def _read(self, slot: Slot) -> None:
        frames: Any = self._source.frames()
        try:
            with closing(frames):
                for item in frames:
                    if (replaced := slot.put(item)) is None:
                        return
                    self._engine.drop(self._lane, replaced)
        except BaseException as error:
            self._engine.abort(error)
        finally:
            slot.end()


class Slot:
    """Room for one frame: a newer one takes the place of one that nobody has taken yet. Gaps are all kept, in order."""

    def __init__(self) -> None:
        self._items: list[Frame | Gap] = []
        self._ended = self._closed = False
        self._changed = threading.Condition()

    def put(self, item: Frame | Gap) -> int | None:
        """How many older frames had to go, None if nobody takes any more."""
        with self._changed:
            if self._closed:
                return None
            before = len(self._items)
            if isinstance(item, Frame):
                self._items = [kept for kept in self._items if isinstance(kept, Gap)]
            replaced = before - len(self._items)
            self._items.append(item)
            self._changed.notify()
            return replaced

    def end(self) -> None:
        """No more will come."""
        with self._changed:
            self._ended = True
            self._changed.notify()

    def close(self) -> int:
        """Nobody takes any more; returns how many frames were left."""
        with self._changed:
            self._closed = True
            left = sum(isinstance(item, Frame) for item in self._items)
            self._items.clear()
            return left

    def take(self, stopping: Callable[[], bool]) -> Frame | Gap | None:
        """What came first of what there is, as soon as there is anything; None when nothing will come."""
        with self._changed:
            while not self._items and not self._ended and not stopping():
                self._changed.wait(0.1)
            return None if stopping() or not self._items else self._items.pop(0)
