"""Every piece of work as a span of time: what the meters of a profiled run keep besides their sums."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from threading import get_ident
from typing import NamedTuple

from visionkit.runtime.metrics import Meter

MOST = 2_000_000
"""Spans that are kept; what comes later is counted, but not in the trace."""


class Span(NamedTuple):
    """Work of one node: its name, the thread, begin and end in nanoseconds, packets or objects."""

    name: str
    thread: int
    begin: int
    end: int
    items: int


class SpanMeter(Meter):
    """A meter that also keeps each piece of work."""

    __slots__ = ("_spans",)

    def __init__(self, name: str, spans: list[Span]) -> None:
        super().__init__(name)
        self._spans = spans

    def add(self, started: int, items: int = 1) -> int:
        now = super().add(started, items)
        if len(self._spans) < MOST:
            self._spans.append(Span(self.name, get_ident(), started, now, items))
        return now


class Timeline:
    """Which node a thread was at work on at a time.

    A span inside another, such as a part of a batch, is found before the one around it.
    """

    def __init__(self, spans: Iterable[Span]) -> None:
        self._rows: dict[int, list[Span]] = {}
        for span in sorted(spans, key=lambda span: span.begin):
            self._rows.setdefault(span.thread, []).append(span)
        self._begins = {thread: [span.begin for span in rows] for thread, rows in self._rows.items()}

    def at(self, thread: int, time: int) -> str:
        """The node's name, "" where the thread did none of the stages' work."""
        place = bisect_right(self._begins.get(thread, []), time)
        for span in reversed(self._rows.get(thread, [])[max(0, place - 3) : place]):
            if span.end >= time:
                return span.name
        return ""
