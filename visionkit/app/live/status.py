"""How a run is doing, while it runs: for the page, for Prometheus, for whoever restarts what has died."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from visionkit.app.live.screen import Screen, Tile
from visionkit.frozen import Frozen

if TYPE_CHECKING:
    from visionkit.api import Job
    from visionkit.runtime.lanes import SourceCounts
    from visionkit.runtime.metrics import NodeTime

STALE = 10.0
"""Seconds without a frame after which a source counts as stopped."""
WINDOW = 2.0
"""Seconds over which times of stages are averaged."""

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Health(Frozen):
    """``state``: "ok", "degraded" (some sources have stopped), "starting" (nothing came yet), "stalled"."""

    state: str
    stopped: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        return self.state in ("ok", "degraded")


class Status:
    """Looks at a running job; asking costs microseconds and never stops it."""

    def __init__(self, job: Job, screen: Screen) -> None:
        self._job = job
        self._screen = screen
        self._samples: deque[tuple[float, dict[str, NodeTime]]] = deque(maxlen=32)

    def counts(self) -> dict[str, SourceCounts]:
        """What the engine counted, by the name of the source."""
        engine = self._job.engine
        return {found.name: found for found in (lane.snapshot() for lane in engine.lanes)} if engine else {}

    def expect(self) -> None:
        """A tile for every live source, also for those that are not up yet."""
        self._screen.expect([found.name for found in self.counts().values() if found.live])

    def health(self) -> Health:
        """Whether frames come."""
        self.expect()
        now = self._screen.clock()
        ages = {tile.name: _age(tile, now) for tile in self._screen.tiles}
        stopped = tuple(name for name, age in ages.items() if age is None or age > STALE)
        if len(stopped) < len(ages):
            return Health("degraded" if stopped else "ok", stopped)
        young = now - self._screen.started <= STALE and all(age is None for age in ages.values())
        return Health("starting" if young else "stalled", stopped)

    def stages(self) -> dict[str, dict[str, float]]:
        """Milliseconds a frame and frames a second of every stage, of late."""
        now = self._screen.clock()
        times = self.times()
        if not self._samples or now - self._samples[-1][0] >= WINDOW / 8:
            self._samples.append((now, times))
        while len(self._samples) > 2 and now - self._samples[1][0] >= WINDOW:
            self._samples.popleft()
        since, before = self._samples[0]
        return {name: _rate(time, before.get(name), now - since) for name, time in times.items()}

    def times(self) -> dict[str, NodeTime]:
        """All work since the start, by stage."""
        engine = self._job.engine
        return {time.name: time for time in engine.times} if engine else {}

    def sources(self) -> list[dict[str, Any]]:
        """A row for every tile."""
        self.expect()
        now, counts = self._screen.clock(), self.counts()
        return [self._source(tile, counts.get(tile.name), now) for tile in self._screen.tiles]

    def _source(self, tile: Tile, counts: SourceCounts | None, now: float) -> dict[str, Any]:
        item = tile.picture.item
        connection = counts.connection if counts else None
        recorder = tile.recorder
        return {
            "name": tile.name,
            "caption": tile.caption,
            "fps": round(tile.fps(now), 1),
            "age": None if (age := _age(tile, now)) is None else round(age, 2),
            "size": [item.value.width, item.value.height] if item else None,
            "failed": counts.failed if counts else tile.failed,
            "dropped": counts.dropped if counts else 0,
            "latency": _milliseconds(counts.latency_median) if counts else None,
            "state": "ended" if tile.ended else connection.state if connection else "up" if item else "connecting",
            "reason": connection.reason if connection else "",
            "recording": bool(recorder is not None and getattr(recorder, "running", True)),
        }


def metrics(status: Status, viewers: int) -> str:
    """Everything for Prometheus, in its text format, version 0.0.4."""
    return "\n".join(_metrics(status, viewers)) + "\n"


def _metrics(status: Status, viewers: int) -> Iterator[str]:
    counts = status.counts()
    for what, told in (
        ("received", "Frames that came from a source"),
        ("out", "Frames that were worked through"),
        ("dropped", "Frames that newer ones replaced"),
        ("failed", "Frames that a stage failed on"),
    ):
        name = f"visionkit_frames_{what}_total"
        yield from _head(name, "counter", f"{told}.")
        yield from (f"{name}{_labels(source=n)} {getattr(c, what)}" for n, c in counts.items())
    rows = status.sources()
    for key, name, told in (
        ("fps", "visionkit_source_fps", "Frames a second over the last two seconds"),
        ("age", "visionkit_source_age_seconds", "Seconds since the last frame"),
    ):
        yield from _head(name, "gauge", f"{told}.")
        yield from (f"{name}{_labels(source=row['name'])} {row[key]}" for row in rows if row[key] is not None)
    name = "visionkit_latency_seconds"
    yield from _head(name, "gauge", "Seconds from capture to output.")
    for source, found in counts.items():
        for quantile, value in (("0.5", found.latency_median), ("0.95", found.latency_p95)):
            if value is not None:
                yield f"{name}{_labels(source=source, quantile=quantile)} {value:.6f}"
    yield from _times(status)
    yield from _head("visionkit_viewers", "gauge", "Streams open on the live page.")
    yield f"visionkit_viewers {viewers}"
    yield from _head("visionkit_healthy", "gauge", "1 while frames come.")
    yield f"visionkit_healthy {int(status.health().good)}"


def _times(status: Status) -> Iterator[str]:
    for what, told in (("seconds", "Work on a stage, over all its threads"), ("items", "Frames or objects of a stage")):
        name = f"visionkit_stage_{what}_total"
        yield from _head(name, "counter", f"{told}.")
        for stage, time in status.times().items():
            yield f"{name}{_labels(stage=stage)} {getattr(time, what)}"


def _head(name: str, kind: str, told: str) -> Iterator[str]:
    yield f"# HELP {name} {told}"
    yield f"# TYPE {name} {kind}"


def _labels(**labels: str) -> str:
    escaped = {
        key: value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for key, value in labels.items()
    }
    return "{" + ",".join(f'{key}="{value}"' for key, value in escaped.items()) + "}"


def _age(tile: Tile, now: float) -> float | None:
    item = tile.results.item
    return None if item is None else now - item.at


def _rate(now: NodeTime, before: NodeTime | None, seconds: float) -> dict[str, float]:
    items = now.items - (before.items if before else 0)
    spent = now.seconds - (before.seconds if before else 0.0)
    if items <= 0 or seconds <= 0:
        return {"ms": round(now.ms, 2), "fps": 0.0}
    return {"ms": round(spent * 1000 / items, 2), "fps": round(items / seconds, 1)}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)
