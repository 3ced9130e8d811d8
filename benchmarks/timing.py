"""Timings that hold on a busy machine: jobs in turn, ratios pair by pair, medians with their interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

from visionkit.runtime.context import cores

CONFIDENCE = 0.95
FEWEST = 6
"""Values whose order says anything with that confidence."""
CORES = cores()


@dataclass(frozen=True)
class Sample:
    """One run: seconds on the clock, seconds of processor time over all threads and children, megabytes at the peak."""

    wall: float
    cpu: float
    peak: float = 0.0


@dataclass(frozen=True)
class Figure:
    """A median and the interval that holds the true one with 95 %, from the order of the values alone."""

    value: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Figure:
        """Fewer than six values cannot say 95 %: then the interval is their range."""
        ordered = sorted(values)
        rank = _rank(len(ordered))
        return Figure(median(ordered), ordered[rank], ordered[-1 - rank])


def _rank(count: int) -> int:
    """How many values may be cut off at each end (W. R. Thompson, 1936: order statistics)."""
    rank = 0
    while 2 * sum(comb(count, k) for k in range(rank + 2)) / 2**count <= 1 - CONFIDENCE:
        rank += 1
    return rank


def in_turn(
    jobs: Mapping[str, Callable[[], Sample]], rounds: int, warm_up: int = 1, first: int = 0
) -> dict[str, list[Sample]]:
    """Every job once a round, each round beginning with another job; rounds of warm-up do not count.

    ``first``: rounds before these, for the job to begin with.
    """
    names = list(jobs)
    found: dict[str, list[Sample]] = {name: [] for name in names}
    for number in range(warm_up + rounds):
        turn = (first + number) % len(names)
        for name in names[turn:] + names[:turn]:
            sample = jobs[name]()
            if number >= warm_up:
                found[name].append(sample)
    return found


def ratio(over: Sequence[Sample], under: Sequence[Sample], of: str = "wall") -> Figure:
    """``over / under`` pair by pair: how many times as long the first took."""
    return Figure.of([getattr(a, of) / getattr(b, of) for a, b in zip(over, under, strict=True)])


def figure(samples: Sequence[Sample], of: str = "wall", factor: float = 1.0) -> Figure:
    """The median of one kind of time, times ``factor``."""
    return Figure.of([getattr(sample, of) * factor for sample in samples])


def efficiency(ours: Sequence[Sample], loop: Sequence[Sample], stages: Sequence[Sequence[Sample]] = ()) -> Figure:
    """Wall time over the larger of the slowest stage alone and the loop's processor time spread over all cores."""
    limits = [max([loop[i].cpu / CORES, *(stage[i].wall for stage in stages)]) for i in range(len(ours))]
    return Figure.of([sample.wall / limit for sample, limit in zip(ours, limits, strict=True)])
