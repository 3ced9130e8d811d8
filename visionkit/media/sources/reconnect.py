"""Keeps a camera or stream up: notices when it stalls or dies, and connects anew, a little later each time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from random import Random

from visionkit.errors import SourceError
from visionkit.frozen import Frozen
from visionkit.media.sources.capture import GLANCE, Capture, Picture, Refused, now
from visionkit.stage.source import Connection

log = logging.getLogger("visionkit.live")

HANGING = 3  # abandoned connections that still hang; with so many, no new one is opened


class Unreachable(SourceError):
    """Nobody listens there now; a knock on the door will tell when somebody does."""


class Patience(Frozen):
    """How long a source waits, in seconds.

    Attributes:
        connect: for the first picture of a connection.
        stall: for the next picture; then the connection is given up.
        first, most: before the second attempt and at most between two; doubled each time, with a jitter of a quarter.
        steady: a connection that was up so long makes the next wait short again.
        knock: between two looks whether anybody listens, where nobody did.
        refusals: how many refusals in a row end a source that was up once; one that never was ends at the first.
    """

    connect: float = 20.0
    stall: float = 8.0
    first: float = 1.0
    most: float = 30.0
    steady: float = 10.0
    knock: float = 1.0
    refusals: int = 3

    def delay(self, attempt: int, random: Random) -> float:
        """Seconds to wait after so many failed attempts in a row, counted from 1."""
        doubled = min(self.most, self.first * 2.0 ** min(attempt - 1, 16))
        return min(self.most, doubled * random.uniform(0.75, 1.25))


class Loss(Frozen):
    """A connection that had delivered pictures is gone."""

    reason: str


@dataclass
class Link:
    """All connections to one device, one after another.

    Args:
        name: what messages call it; no credentials.
        pictures: opens one connection, as :class:`~visionkit.media.sources.capture.Capture` takes it.
        knock: looks whether anybody listens; None where that cannot be asked.
        retry: connect again also where it has never been up; without, the first failure ends the source.
    """

    name: str
    pictures: Callable[[], Iterator[Picture]]
    patience: Patience = field(default_factory=Patience)
    knock: Callable[[], bool] | None = None
    retry: bool = True
    random: Random = field(default_factory=Random)
    state: Connection = field(default_factory=Connection)
    _stop: threading.Event = field(default_factory=threading.Event)
    _attempts: int = 0
    _refusals: int = 0
    _was_up: bool = False
    _hanging: list[Capture] = field(default_factory=list)

    def interrupt(self) -> None:
        """Ends :meth:`pictures_and_losses` soon; safe from any thread."""
        self._stop.set()

    def pictures_and_losses(self) -> Iterator[Picture | Loss]:
        """Pictures until the source ends or :meth:`interrupt`; a Loss where a connection was lost.

        Raises:
            SourceError: the source is given up.
        """
        self._stop.clear()
        try:
            while not self._stop.is_set():
                error = yield from self._connection()
                if error is None:
                    return
                self._judge(error)
                if self.state.state == "up":
                    self._set("waiting", error.message, self.state.gaps + 1)
                    yield Loss(error.message)
                self._wait(error)
        finally:
            self._set("ended", self.state.reason)

    def _connection(self) -> Generator[Picture, None, SourceError | None]:
        """The pictures of one connection; returns why it ended, None if the source did or nobody wants more."""
        self._free_place()
        if self._stop.is_set():
            return None
        if self.state.state != "connecting":
            self._set("connecting", self.state.reason)
        capture = Capture(self.name, self.pictures)
        try:
            return (yield from self._read(capture))
        finally:
            capture.abandon()
            self._hanging.append(capture)

    def _read(self, capture: Capture) -> Generator[Picture, None, SourceError | None]:
        started, up = now(), False
        latest = started
        while not self._stop.is_set():
            limit = self.patience.stall if up else self.patience.connect
            try:
                found = capture.next(min(GLANCE, latest + limit - now()))
            except TimeoutError:
                if now() - latest >= limit:
                    return SourceError(f"no frame came for {limit:g} seconds")
                continue
            if not isinstance(found, Picture):
                return found
            latest = now()
            if not up:
                up = True
                self._came_up()
            if self._attempts and latest - started >= self.patience.steady:
                self._attempts = 0
            yield found
        return None

    def _came_up(self) -> None:
        if self._was_up:
            log.warning("%s: frames come again", self.name)
        self._was_up, self._refusals = True, 0
        self._set("up", "")

    def _judge(self, error: SourceError) -> None:
        """Raises ``error`` where trying again would not help."""
        self._refusals = self._refusals + 1 if isinstance(error, Refused) else 0
        over = self._refusals >= (self.patience.refusals if self._was_up else 1)
        if over or not (self.retry or self._was_up):
            log.error("%s: %s", self.name, error.message)
            raise error

    def _wait(self, error: SourceError) -> None:
        self._attempts += 1
        delay = self.patience.delay(self._attempts, self.random)
        self._set("waiting", error.message)
        log.warning("%s: %s; trying again in %.1f s", self.name, error.message, delay)
        end = now() + delay
        asks = self.knock is not None and isinstance(error, Unreachable)
        while not self._stop.wait(min(self.patience.knock if asks else delay, max(0.0, end - now()))) and now() < end:
            if asks and self.knock is not None and self.knock():
                self._attempts = 0
                return

    def _free_place(self) -> None:
        """Waits while too many abandoned connections hang: the device holds them, one more would not help."""
        self._hanging = [capture for capture in self._hanging if capture.alive]
        while len(self._hanging) >= HANGING and not self._stop.wait(GLANCE):
            self._hanging = [capture for capture in self._hanging if capture.alive]

    def _set(self, state: str, reason: str, gaps: int | None = None) -> None:
        gaps = self.state.gaps if gaps is None else gaps
        self.state = replace(self.state, state=state, since=now(), reason=reason, gaps=gaps)  # type: ignore[arg-type]
