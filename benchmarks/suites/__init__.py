"""What is measured: one module a suite, each with a ``run`` that fills a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

SUITES: Mapping[str, str] = MappingProxyType(
    {
        "engine": "benchmarks.suites.engine",
        "filter": "benchmarks.suites.filters",
        "folder": "benchmarks.suites.folder",
        "video": "benchmarks.suites.video",
        "track": "benchmarks.suites.track",
        "live": "benchmarks.suites.live",
        "ocr": "benchmarks.suites.ocr",
        "encode": "benchmarks.suites.encode",
        "startup": "benchmarks.suites.startup",
        "memory": "benchmarks.suites.memory",
    }
)


@dataclass(frozen=True)
class Settings:
    """How long and on what.

    Attributes:
        rounds: runs of each job.
        work: where rendered inputs and written results go.
        data: a folder of real videos to use in place of rendered ones.
        frames: frames of a rendered video; suites have their own default.
        weights: detectors to measure.
    """

    rounds: int
    work: Path
    data: Path | None = None
    frames: int | None = None
    weights: tuple[str, ...] = ()
