"""Which piece goes out when, what becomes of lost ones, and results back in the order of the inputs."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count
from threading import Event
from time import monotonic, perf_counter

from visionkit.runtime.distributed.piece import Piece, Written
from visionkit.runtime.distributed.pool import Lost, Pool
from visionkit.stage.source import Source

AHEAD = 8
"""Pieces for each worker that may be done before their turn to be written has come."""
LIVES = 3
"""Workers that an input may kill before it counts as failed."""
GRACE = 10.0
"""Seconds that a run which was stopped waits for what is in work."""


class Dispatch:
    """Sends pieces to a pool. One whose worker died is halved, so that what kills workers is found: it alone fails."""

    def __init__(self, pool: Pool, pieces: Iterator[Piece], source: Callable[[Sequence[int]], Source]) -> None:
        self._pool, self._pieces, self._source = pool, pieces, source
        self._waiting: deque[Piece] = deque()
        self._open: deque[Piece] = deque()  # all that are not written yet, in the order of the inputs
        self._done: dict[int, Written | str] = {}
        self._halves = count(-1, -1)
        self.began: float | None = None  # when the first piece went out, on the clock of ``perf_counter``

    def results(self, stopping: Event) -> Iterator[tuple[Piece, Written | str]]:
        """Each piece with what became of it, or with why its one input is given up; ends early when ``stopping``."""
        until: float | None = None
        while True:
            if stopping.is_set():
                until = until or monotonic() + GRACE
                if not self._pool.busy or monotonic() > until:
                    return
            elif not self._submit():
                return
            for event in self._pool.wait(0.2):
                if isinstance(event, Lost):
                    self._lost(event)
                else:
                    self._done[event.piece.number] = event.written
            while self._open and self._open[0].number in self._done:
                piece = self._open.popleft()
                yield piece, self._done.pop(piece.number)

    def _submit(self) -> bool:
        """Gives workers something to do; False if nothing is left."""
        while True:
            if not self._waiting and len(self._open) < AHEAD * self._pool.size:
                piece = next(self._pieces, None)
                if piece is not None:
                    self._waiting.append(piece)
                    self._open.append(piece)
            if not self._waiting or not self._pool.submit(self._waiting[0], self._source):
                return bool(self._open)
            self.began = self.began or perf_counter()
            self._waiting.popleft()

    def _lost(self, event: Lost) -> None:
        piece = event.piece
        if len(piece.indices) > 1:
            parts = [replace(part, number=next(self._halves), deaths=1) for part in piece.halves()]
        elif piece.deaths + 1 < LIVES:
            parts = [replace(piece, deaths=piece.deaths + 1)]
        else:
            self._done[piece.number] = event.reason
            return
        at = self._open.index(piece)
        self._open.remove(piece)
        for part in reversed(parts):
            self._open.insert(at, part)
        self._waiting.extendleft(reversed(parts))
