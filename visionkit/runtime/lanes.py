"""What was counted and measured for each source of a run, also while it runs."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from visionkit.frozen import Frozen
from visionkit.stage.source import Connection, Interruptible, Source

_GROWTH = math.log(1.02)  # buckets of two per cent
_SMALLEST = 1e-5  # seconds


class Latencies:
    """Times from capture to output, in buckets of two per cent: a week of frames takes no more room than a minute."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()
        self.count = 0
        self.seconds = 0.0

    def add(self, seconds: float) -> None:
        self._buckets[math.floor(math.log(max(seconds, _SMALLEST) / _SMALLEST) / _GROWTH)] += 1
        self.count += 1
        self.seconds += seconds

    def quantile(self, share: float) -> float | None:
        """Seconds that this share (0 to 1) of the frames took at most; None without frames."""
        rest = math.ceil(share * self.count)
        for bucket, count in sorted(self._buckets.copy().items()):
            rest -= count
            if rest <= 0:
                return _SMALLEST * math.exp((bucket + 0.5) * _GROWTH)
        return None


class SourceCounts(Frozen):
    """What became of the frames of one source: ``received = out + dropped + failed`` once the run is over.

    Attributes:
        live: a camera or stream; of others only frames are counted.
        latency_median, latency_p95: seconds from capture to output, None where nothing came out.
        last_out: when the last frame came out, on the clock of ``time.monotonic``.
        connection: what a live source is doing, None for files.
    """

    name: str
    live: bool
    received: int
    out: int
    dropped: int
    failed: int
    latency_median: float | None = None
    latency_p95: float | None = None
    last_out: float | None = None
    connection: Connection | None = None


class LaneCounts:
    """Counts of one lane; the engine books, anybody may look."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lock = threading.Lock()
        self.received = self.out = self.dropped = self.failed = 0
        self.latencies = Latencies()
        self.last_out: float | None = None

    def book(self, received: int = 0, out: int = 0, dropped: int = 0, failed: int = 0) -> None:
        with self._lock:
            self.received += received
            self.out += out
            self.dropped += dropped
            self.failed += failed

    def came_out(self, captured: float | None, now: float) -> None:
        """A frame has left the last output."""
        with self._lock:
            self.last_out = now
            if captured is not None:
                self.latencies.add(now - captured)

    def snapshot(self) -> SourceCounts:
        """The counts of this moment."""
        source = self._source
        with self._lock:
            return SourceCounts(
                source.name,
                source.live,
                self.received,
                self.out,
                self.dropped,
                self.failed,
                self.latencies.quantile(0.5),
                self.latencies.quantile(0.95),
                self.last_out,
                source.connection if isinstance(source, Interruptible) else None,
            )


class Totals(NamedTuple):
    """Counts of frames over all lanes."""

    received: int = 0
    out: int = 0
    dropped: int = 0
    failed: int = 0


def totals(lanes: Iterable[LaneCounts]) -> Totals:
    """The sums of what the lanes counted."""
    rows = [(lane.received, lane.out, lane.dropped, lane.failed) for lane in lanes]
    return Totals(*map(sum, zip(*rows, strict=True))) if rows else Totals()
