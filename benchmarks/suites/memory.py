"""Memory over a long video: does it grow?

The engine runs a long rendered video through filters and contours into a video and a table. Resident memory is read
after every 25th frame; the slope is that of the straight line through all readings after frame 500, from robust
regression (the median of all pairs' slopes: P. K. Sen, 1968), so that one jump does not make a slope.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import inputs
from benchmarks.child import measure
from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import Figure

FRAMES = 50_000
EVERY = 25
SETTLED = 500
BOUND = 0.3
"""Megabytes per thousand frames that count as flat: a lost 320 × 180 picture in six hundred would show."""
PIPELINE = """
version: 1
stages:
  - filter.blur: {size: 5}
  - edges.canny: {low: 50, high: 150}
  - contours: {id: found, min_area: 20, top_k: 20}
  - draw.boxes: {in: {objects: found, image: source}}
outputs:
  - media: {path: "{source.stem}.mp4", speed: fast}
  - jsonl: {path: results.jsonl}
"""


def resident() -> float:
    """Megabytes of this process that are in memory now."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def readings(source: str, out: str) -> Callable[[], list[tuple[int, float]]]:
    """A run that returns (frames done, megabytes) after every 25th frame."""
    from visionkit.api import Job
    from visionkit.pipeline.compile import compile_text
    from visionkit.runtime.context import RunSettings

    shutil.rmtree(out, ignore_errors=True)
    found: list[tuple[int, float]] = []

    def note(packet: Any) -> None:
        if packet.key.index % EVERY == 0:
            found.append((packet.key.index, resident()))

    def work() -> list[tuple[int, float]]:
        summary = Job(compile_text(PIPELINE), RunSettings(workers=2), note).run([source], out=Path(out))
        assert summary.out == summary.received, summary
        return found

    return work


def slope(points: Sequence[tuple[int, float]], after: int = SETTLED) -> float:
    """Megabytes per thousand frames, after frame ``after``."""
    kept = [point for point in points if point[0] >= after]
    pairs = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(kept) for b in kept[i + 1 :]]
    return 1000 * median(pairs)


def run(table: Table, settings: Settings) -> None:
    """Fill the table: one long run."""
    frames = settings.frames or FRAMES
    source = inputs.video(settings.work / f"small{frames}.mp4", frames, 320, 180)
    sample, points = measure(readings, source=str(source), out=str(settings.work / "memory"))
    found = slope([tuple(point) for point in points])
    table.rounds = 1
    table.add(
        f"growth after frame {SETTLED} of {frames}", Figure(found, found, found), "MB per 1000 frames", most=BOUND
    )
    begin = next(value for index, value in points if index >= SETTLED)
    for label, value in (
        (f"resident at frame {SETTLED}", begin),
        ("resident at the end", points[-1][1]),
        ("peak", sample.peak),
    ):
        table.add(label, Figure(value, value, value), "MB")
