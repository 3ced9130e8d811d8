"""Looks for the fastest settings, one after the other, within a budget of time.

Backend and precision first, then batch, workers and the decoder's threads. Those that compete take turns, so that what
slows the machine for a while slows all of them; a change must be clearly faster to be made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING, Any

from visionkit.data.device import is_gpu
from visionkit.errors import UsageError, VisionkitError
from visionkit.frozen import Frozen
from visionkit.stage.source import Frame
from visionkit.tune.candidates import Candidate, batches, variations, worker_counts
from visionkit.tune.networks import Networks
from visionkit.tune.quality import labelled
from visionkit.tune.trial import FEWEST, Trial, tried

if TYPE_CHECKING:
    from visionkit.api import Pipeline
    from visionkit.media.sources import SourceOptions

GAIN = 1.05
"""How many times as fast a change must be to be made."""
LEAST_ROUNDS, MOST_ROUNDS = 3, 9
SECONDS = 1.0
"""Of a trial, after its first frame. Many short ones in turn see the same machine; few long ones do not."""


class Row(Frozen):
    """A candidate and the medians of its trials; ``best``: nothing is both faster and cheaper."""

    candidate: Candidate
    fps: float
    cpu: float
    trials: int
    best: bool = False


class Result(Frozen):
    """What was found.

    Attributes:
        rows: all that was measured, the fastest first.
        start: the settings as the file has them.
        chosen: the fastest, of equally fast ones the simplest.
        notes: what ``auto`` means from now on, what was refused and why.
    """

    rows: tuple[Row, ...]
    start: Candidate
    chosen: Candidate
    notes: tuple[str, ...]

    def row(self, candidate: Candidate) -> Row:
        """What was measured of a candidate."""
        return next(row for row in self.rows if row.candidate == candidate)


@dataclass
class Tuner:
    """A search.

    Args:
        pipeline: what to run.
        inputs: on what; files.
        options: how they are read.
        budget: seconds for all trials together. Before, networks are converted and compared, the next one only as long
            as that took less.
        cores: processors that may be used.
        say: hears what is being done.
    """

    pipeline: Pipeline
    inputs: Sequence[Any]
    options: SourceOptions
    budget: float
    cores: int
    trust: bool = False
    calibrate: Path | None = None
    say: Callable[[str], None] = lambda text: None
    trials: dict[Candidate, list[Trial]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    def run(self) -> Result:
        """Search.

        Raises:
            UsageError: the pipeline cannot be run at all, or an input is live.
        """
        busy, videos = load(), self._has_videos()
        if self.calibrate is not None:
            labelled(self.calibrate, 1)  # a wrong folder is said now, not after minutes
        networks = self._networks()
        start = now = self._start(networks.device)
        dimensions = self._dimensions(networks, videos)
        until = monotonic()
        end = until + self.budget
        for name, values in dimensions:
            if monotonic() > end and self.trials:
                self.reasons.append(f"{name}: not measured, the {self.budget:g} seconds were over")
                continue
            until += self.budget / len(dimensions)
            now = self._best(variations(now, name, values), now, until - monotonic())
        notes = [*networks.chosen, *networks.reasons, *self.reasons, *self._warnings(busy)]
        return Result(self._rows(), start, now, tuple(dict.fromkeys(notes)))

    def _warnings(self, busy: float) -> list[str]:
        if busy <= self.cores / 2:
            return []
        text = f"the machine was busy with other work (load {busy:.1f} on {self.cores} cores)"
        return [f"{text}: tune again when it is quiet"]

    def _networks(self) -> Networks:
        from visionkit.runtime.context import choose_device
        from visionkit.weights import Store

        settings = self.pipeline._run_settings()
        store = Store(trust=self.trust)
        store = replace(store, offline=True) if settings.offline else store
        device = choose_device(settings.device)
        return Networks(self.pipeline.plan, store, device, self._size(), self.say, self.budget, self.cores)

    def _size(self) -> tuple[int, int]:
        """Width and height of the first picture."""
        from visionkit.media.sources import open_sources

        for source in open_sources(self.inputs, self.options):
            for frame in source.frames():
                if isinstance(frame, Frame):
                    return frame.load().full_size
        raise UsageError("nothing came from the input")

    def _start(self, device: str) -> Candidate:
        """What the file says, where it says something."""
        settings = self.pipeline._run_settings()
        precision = "fp32" if settings.precision == "auto" else settings.precision
        decoder = "nvdec" if settings.decoder == "nvdec" else "cpu"
        batch = settings.batch_size(self.pipeline.plan)
        return Candidate(settings.backend, precision, batch, settings.worker_count, decoder, settings.decoder_threads)

    def _dimensions(self, networks: Networks, videos: bool) -> list[tuple[str, tuple[Any, ...]]]:
        """Settings and their values, those with a choice only."""
        found: list[tuple[str, tuple[Any, ...]]] = []
        if networks.entries:
            if networks.measure():
                found.append(("backend", ("auto", "own")))
            accepted = self.calibrate is not None and networks.calibrate(self.calibrate)
            if is_gpu(networks.device):
                found.append(("precision", ("fp32", "fp16", "bf16")))
            elif accepted:
                found.append(("precision", ("fp32", "int8")))
        found.append(("batch", batches(self.pipeline.plan, networks.device)))
        found.append(("workers", worker_counts(self.cores)))
        if videos and is_gpu(networks.device):
            found.append(("decoder", ("cpu", "nvdec")))
        if videos:
            found.append(("decoder_threads", (0, 1, 2)))
        return [(name, values) for name, values in found if len(values) > 1]

    def _has_videos(self) -> bool:
        from visionkit.media.sources import open_sources

        sources = open_sources(self.inputs, self.options)
        if any(source.live for source in sources):
            raise UsageError("a live source gives frames at its own rate", help="tune on a file recorded with it")
        return any(info.kind == "video" for source in sources for info in source.infos or ())

    def _best(self, candidates: list[Candidate], now: Candidate, seconds: float) -> Candidate:
        """Measures in turns; returns the fastest, ``now`` unless another is clearly faster."""
        until, turn, failed = monotonic() + seconds, 0, set()
        while turn < LEAST_ROUNDS or (turn < MOST_ROUNDS and monotonic() < until):
            for candidate in candidates[turn % len(candidates) :] + candidates[: turn % len(candidates)]:
                if candidate not in failed and not self._try(candidate):
                    failed.add(candidate)
            turn += 1
        good = [candidate for candidate in candidates if candidate not in failed]
        if now in failed or not good:
            raise UsageError("the pipeline cannot be run as it is", help=self.reasons[-1] if self.reasons else "")
        return max((one for one in good if self._is_faster(one, now)), key=self._fps, default=now)

    def _is_faster(self, candidate: Candidate, now: Candidate) -> bool:
        """Whether it was faster in every turn, and clearly so in most."""
        turns = zip(reversed(self.trials[candidate]), reversed(self.trials[now]), strict=False)
        gains = [ours.fps / theirs.fps for ours, theirs in turns]
        return min(gains) > 1 and median(gains) > GAIN

    def _try(self, candidate: Candidate) -> bool:
        try:
            trial = tried(self.pipeline, candidate, self.inputs, self.options, SECONDS, self.trust)
        except VisionkitError as error:
            self.reasons.append(f"{candidate}: {error.message}")
            return False
        if not trial.fps:
            self.reasons.append(f"too few frames came out to measure: give an input of {FEWEST} or more")
            return False
        self.trials.setdefault(candidate, []).append(trial)
        self.say(f"{describe(candidate)}: {trial.fps:.1f} frames a second")
        return True

    def _fps(self, candidate: Candidate) -> float:
        return median(trial.fps for trial in self.trials[candidate])

    def _rows(self) -> tuple[Row, ...]:
        rows = [Row(c, self._fps(c), median(t.cpu for t in trials), len(trials)) for c, trials in self.trials.items()]
        marked = [replace(a, best=not any(b.fps > a.fps and b.cpu < a.cpu for b in rows)) for a in rows]
        return tuple(sorted(marked, key=lambda row: -row.fps))


def load() -> float:
    """Processes that want a core, averaged over the last minute; 0 where the system does not say."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def describe(candidate: Candidate) -> str:
    """A candidate in words."""
    decoder = f", decoder threads {candidate.decoder_threads}" if candidate.decoder_threads else ""
    decoder += ", NVDEC" if candidate.decoder == "nvdec" else ""
    return f"{candidate.backend} {candidate.precision}, batch {candidate.batch}, workers {candidate.workers}{decoder}"
