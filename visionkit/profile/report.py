"""What a profile says: time per stage and library, waits, conversions, and the bottleneck in a sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from visionkit.frozen import Frozen
from visionkit.profile.conversions import Conversion
from visionkit.profile.sampler import Sampler
from visionkit.profile.spans import Span, Timeline

if TYPE_CHECKING:
    from visionkit.runtime.metrics import RunSummary

SOURCE = "source"
BUSY = 0.75
"""A worker that is busy for more than this share of the time holds the others up."""
FULL = 0.85
"""Cores that are busy for more than this share are full."""
SHORT = 0.1
"""Seconds of a run that are too few to say anything of its parts."""


class StageTime(Frozen):
    """One node: the worker it is part of, seconds over all threads, packets or objects, shares of its libraries."""

    name: str
    worker: str
    seconds: float
    items: int
    libraries: Mapping[str, float]

    @property
    def ms(self) -> float:
        """Milliseconds a packet or object."""
        return self.seconds * 1000 / self.items if self.items else 0.0


class WorkerTime(Frozen):
    """One worker: its threads, the share of the time they were at work, and the frames that waited before it.

    ``waiting`` is their mean number, ``wait_ms`` how long each waited, by Little's law.
    """

    name: str
    threads: int
    busy: float
    waiting: float
    wait_ms: float


class Conversions(Frozen):
    """Conversions or copies of one kind in one stage: how many, bytes and milliseconds each."""

    what: str
    stage: str
    count: int
    nbytes: int
    ms: float


class Report(Frozen):
    """Where the time of a run went.

    Attributes:
        seconds: wall time from the first frame asked for to the last result written.
        frames: frames that came out.
        cores: processors the run could use.
        cpu: seconds of processor time by library; "threads of libraries" are those that Python does not know.
        delay: seconds that its threads, all together, could have run but no core was free.
        gpu_idle: the share of time the GPU did nothing; None where there is none, or its driver cannot be asked.
        bottleneck: a sentence.
    """

    seconds: float
    frames: int
    cores: int
    stages: tuple[StageTime, ...]
    workers: tuple[WorkerTime, ...]
    cpu: Mapping[str, float]
    conversions: tuple[Conversions, ...]
    delay: float
    gpu_idle: float | None
    bottleneck: str

    @property
    def load(self) -> float:
        """The share of all cores that was used."""
        return sum(self.cpu.values()) / (self.seconds * self.cores) if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        stages = [{**asdict(stage), "ms": stage.ms} for stage in self.stages]
        return {**asdict(self), "stages": stages, "load": self.load}


def analysed(
    summary: RunSummary, spans: Sequence[Span], sampler: Sampler, seen: Sequence[Conversion], cores: int
) -> Report:
    """The report of a run that has ended."""
    timeline = Timeline(spans)
    stages = _stages(spans, sampler, timeline)
    workers = _workers(spans, sampler, summary)
    conversions = _conversions(seen, timeline)
    cpu = _cpu(sampler)
    idle = sampler.gpu.idle
    part = Report(summary.seconds, summary.out, cores, stages, workers, cpu, conversions, sampler.delay, idle, "")
    return Report(**{**part.__dict__, "bottleneck": sentence(part)})


def worker_of(name: str) -> str:
    """``visionkit:detect:0`` → ``detect``; all sources are one worker."""
    return name.removeprefix("visionkit:").rpartition(":")[0]


def _stages(spans: Sequence[Span], sampler: Sampler, timeline: Timeline) -> tuple[StageTime, ...]:
    shares: dict[str, Counter[str]] = {}
    for sample in sampler.samples:
        if name := timeline.at(sample.thread, sample.at):
            shares.setdefault(name, Counter())[sample.library or "waiting"] += 1
    sums: dict[str, tuple[int, int]] = {}
    workers: dict[str, str] = {}
    for span in spans:
        taken, items = sums.get(span.name, (0, 0))
        sums[span.name] = taken + span.end - span.begin, items + span.items
        workers.setdefault(span.name, worker_of(sampler.names.get(span.thread, "")))
    rows = [
        StageTime(name, workers[name], taken / 1e9, items, _shares(shares.get(name, Counter())))
        for name, (taken, items) in sums.items()
    ]
    return tuple(sorted(rows, key=lambda row: row.worker != SOURCE))


def _shares(counts: Counter[str]) -> dict[str, float]:
    total = sum(counts.values())
    return {name: count / total for name, count in counts.most_common()}


def _workers(spans: Sequence[Span], sampler: Sampler, summary: RunSummary) -> tuple[WorkerTime, ...]:
    threads = Counter(worker_of(name) for name in sampler.names.values())
    work: Counter[str] = Counter()
    for span in spans:
        work[worker_of(sampler.names.get(span.thread, ""))] += span.end - span.begin
    rows = []
    begun, ended = min((s.begin for s in spans), default=0), max((s.end for s in spans), default=0)
    looks = [row.waiting for row in sampler.depths if begun <= row.at <= ended]  # not while networks are loaded
    for name, count in threads.items():
        busy = work[name] / 1e9 / count / summary.seconds if summary.seconds else 0.0
        depths = [waiting.get(name, 0) for waiting in looks]
        waiting = sum(depths) / len(depths) if depths else 0.0
        wait = waiting * summary.seconds / summary.out * 1000 if summary.out else 0.0
        rows.append(WorkerTime(name, count, min(1.0, busy), waiting, wait))
    return tuple(row for row in rows if work[row.name])


def _cpu(sampler: Sampler) -> dict[str, float]:
    """Processor time by library. A waiting thread's belongs to nobody in particular: to the engine."""
    used: Counter[str] = Counter()
    for sample in sampler.samples:
        used[sample.library or "visionkit"] += sample.cpu
    seconds = {name: spent / 1e9 for name, spent in used.items()} | sampler.native
    return dict(sorted(((n, s) for n, s in seconds.items() if s > 0), key=lambda row: -row[1]))


def _conversions(seen: Sequence[Conversion], timeline: Timeline) -> tuple[Conversions, ...]:
    groups: dict[tuple[str, str], list[Conversion]] = {}
    for one in seen:
        groups.setdefault((one.what, timeline.at(one.thread, one.at)), []).append(one)
    rows = [
        Conversions(
            what,
            stage,
            len(group),
            sum(one.nbytes for one in group) // len(group),
            sum(one.took for one in group) / len(group) / 1e6,
        )
        for (what, stage), group in groups.items()
    ]
    return tuple(sorted(rows, key=lambda row: -row.count * row.ms))


def sentence(report: Report) -> str:
    """The bottleneck, and what the next one would be."""
    order = sorted(report.workers, key=lambda worker: -worker.busy)
    if not order:
        return "nothing ran"
    if report.seconds < SHORT:
        return f"{report.seconds * 1000:.0f} ms are too short to find a bottleneck: give it more pictures"
    return _bottleneck(report, order) + _starved(report)


def _starved(report: Report) -> str:
    """What other programs had to do with it: nothing where visionkit's own threads fill the cores."""
    if report.delay < max(0.5, 0.3 * report.seconds) or report.load >= FULL:
        return ""
    return f" (the machine is busy: visionkit's threads waited {report.delay:.0f} s for a free core)"


def _bottleneck(report: Report, order: list[WorkerTime]) -> str:
    first, used = order[0], f"{report.load * report.cores:.1f} of {report.cores} cores are at work"
    full = report.load >= FULL
    if first.busy >= BUSY:
        text = f"{_what(report, first)} is the bottleneck: busy {first.busy:.0%} of the time{_mostly(report, first)}"
        if full:
            return f"{text}; the processor is full as well ({used}), so only less work makes it faster"
        return text + (f"; next would be {_what(report, order[1])}, busy {order[1].busy:.0%}" if order[1:] else "")
    if full:
        return f"the processor is the bottleneck: {used}, most for {_what(report, first)}"
    if first.name == SOURCE or all(worker.waiting < 1 for worker in report.workers):
        text = "the source is the bottleneck: frames come more slowly than they are taken"
        return f"{text}; {_what(report, first)} is busy {first.busy:.0%} of the time"
    return f"no worker is busy for more than {first.busy:.0%} of the time: frames wait for one another; {used}"


def _what(report: Report, worker: WorkerTime) -> str:
    """The stage that takes most of a worker's time."""
    if worker.name == SOURCE:
        return "reading the source"
    parts = [stage for stage in report.stages if stage.worker == worker.name]
    slowest = max(parts, key=lambda stage: stage.seconds)
    share = slowest.seconds / max(1e-9, sum(stage.seconds for stage in parts))
    return slowest.name if len(parts) == 1 or share > 0.95 else f"{slowest.name} ({share:.0%} of its worker's time)"


def _mostly(report: Report, worker: WorkerTime) -> str:
    parts = [stage for stage in report.stages if stage.worker == worker.name]
    slowest = max(parts, key=lambda stage: stage.seconds)
    if not slowest.libraries:
        return ""
    name, share = next(iter(slowest.libraries.items()))
    return f", {share:.0%} of it in {name}"
