"""Room for the newest of something: putting never waits, and whoever is slow misses what came in between."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from visionkit.frozen import Frozen

T = TypeVar("T")


class Item(Frozen, Generic[T]):
    """``number`` counts what was put from 1; ``at`` is when, by the clock of whoever put it."""

    number: int
    value: T
    at: float


class Latest(Generic[T]):
    """A slot for one value, with a bell for those who wait for the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: Item[T] | None = None
        self._bells: dict[int, Callable[[], None]] = {}
        self._next = 0

    @property
    def item(self) -> Item[T] | None:
        """The newest, None if there was none."""
        return self._item

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._bells)

    def put(self, value: T, at: float) -> None:
        """Take the place of the value before; rings once for everybody who waits."""
        with self._lock:
            self._item = Item(self._item.number + 1 if self._item else 1, value, at)
            bells, self._bells = self._bells, {}
        for ring in bells.values():
            ring()

    def listen(self, after: int, ring: Callable[[], None]) -> Callable[[], None]:
        """Call ``ring`` once something newer than number ``after`` is here; returns what takes the wish back."""
        with self._lock:
            ready = self._item is not None and self._item.number > after
            self._next += 1
            key = self._next
            if not ready:
                self._bells[key] = ring
        if ready:
            ring()
        return lambda: self._forget(key)

    def _forget(self, key: int) -> None:
        with self._lock:
            self._bells.pop(key, None)

    async def newer(self, after: int, seconds: float) -> Item[T] | None:
        """The newest value with a number above ``after``; None if none came in time."""
        loop = asyncio.get_running_loop()
        came = asyncio.Event()

        def ring() -> None:
            with suppress(RuntimeError):  # the loop may have ended meanwhile
                loop.call_soon_threadsafe(came.set)

        forget = self.listen(after, ring)
        try:
            async with asyncio.timeout(seconds):
                await came.wait()
        except TimeoutError:
            return None
        finally:
            forget()
        return self._item
