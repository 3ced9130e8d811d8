"""What is measured: one module a suite, each with a ``run`` that fills a table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from benchmarks.timing import Sample, in_turn

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
        "gpu": "benchmarks.suites.gpu",
    }
)


INPUTS = "inputs"
"""What is kept beside the runs: the inputs they were on."""


class NotHere(Exception):
    """This machine lacks what a suite measures."""


@dataclass(frozen=True)
class Settings:
    """How long and on what.

    Attributes:
        rounds: runs of each job.
        work: where rendered inputs and written results go.
        data: a folder of real videos to use in place of rendered ones.
        frames: frames of a rendered video; suites have their own default.
        weights: detectors to measure.
        more: runs are added to those that are kept below ``work`` from earlier calls: a long measurement in parts.
    """

    rounds: int
    work: Path
    data: Path | None = None
    frames: int | None = None
    weights: tuple[str, ...] = ()
    more: bool = False

    def measured(
        self, name: str, jobs: Mapping[str, Callable[[], Sample]], warm_up: int = 1
    ) -> dict[str, list[Sample]]:
        """What all ``jobs`` took, :attr:`rounds` times in turn, after the earlier runs kept under ``name``.

        Raises:
            RuntimeError: the earlier runs were on other inputs.
        """
        inputs = [self.frames, str(self.data or "")]
        kept = self.work / "samples" / f"{name}.json"
        kept.parent.mkdir(parents=True, exist_ok=True)
        known: dict[str, list[Any]] = json.loads(kept.read_text("utf-8")) if self.more and kept.exists() else {}
        if known.pop(INPUTS, inputs) != inputs:
            raise RuntimeError(f"{kept} has runs with another --data or --frames: nothing can be added to them")
        found = {job: [Sample(*row) for row in known.get(job, ())] for job in jobs}
        for number in range(self.rounds):  # kept after each round: a call that is cut off has not been for nothing
            before = max(map(len, found.values()))
            for job, samples in in_turn(jobs, 1, 0 if number else warm_up, before).items():
                found[job] += samples
            rows = {job: [astuple(one) for one in row] for job, row in found.items()}
            kept.write_text(json.dumps({INPUTS: inputs, **rows}), "utf-8")
        return found
