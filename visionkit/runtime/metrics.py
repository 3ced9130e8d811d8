"""What a run counted and measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from time import perf_counter_ns

from visionkit.frozen import Frozen
from visionkit.runtime.lanes import SourceCounts


class Meter:
    """Time and calls of one node in one worker. One writer each, so no lock."""

    __slots__ = ("calls", "items", "name", "ns")

    def __init__(self, name: str) -> None:
        self.name = name
        self.ns = 0
        self.calls = 0
        self.items = 0

    def add(self, started: int, items: int = 1) -> int:
        """Book the time since ``started``; returns now."""
        now = perf_counter_ns()
        self.ns += now - started
        self.calls += 1
        self.items += items
        return now

    def take(self, other: Meter) -> None:
        """Go on where ``other``, which nobody writes any more, left off."""
        self.ns += other.ns
        self.calls += other.calls
        self.items += other.items


class NodeTime(Frozen):
    """Work on one node over all workers: seconds, calls, packets (or objects)."""

    name: str
    seconds: float
    calls: int
    items: int
    workers: int

    @property
    def ms(self) -> float:
        """Milliseconds a packet or object."""
        return self.seconds * 1000 / self.items if self.items else 0.0


class RunSummary(Frozen):
    """What a run did: ``received = out + dropped + failed``.

    Attributes:
        seconds: wall time between the first frame asked for and the last result written.
        nodes: time per stage, in plan order.
        results: files and folders that were written.
        interrupted: the run was asked to stop before its sources ended.
        sources: the same counts for each lane, and how live ones fared.
    """

    received: int = 0
    out: int = 0
    dropped: int = 0
    failed: int = 0
    object_failures: int = 0
    seconds: float = 0.0
    nodes: tuple[NodeTime, ...] = ()
    results: tuple[Path, ...] = ()
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    sources: tuple[SourceCounts, ...] = ()

    @property
    def fps(self) -> float:
        return self.out / self.seconds if self.seconds else 0.0

    @property
    def bottleneck(self) -> NodeTime | None:
        """The node whose workers were busy the longest."""
        return max(self.nodes, key=lambda node: node.seconds / max(1, node.workers), default=None)


def merge(meters: list[Meter]) -> tuple[NodeTime, ...]:
    """Meters of all workers, one row per node in order of first appearance."""
    groups: dict[str, list[Meter]] = {}
    for meter in meters:
        groups.setdefault(meter.name, []).append(meter)
    return tuple(
        NodeTime(name, sum(m.ns for m in g) / 1e9, sum(m.calls for m in g), sum(m.items for m in g), len(g))
        for name, g in groups.items()
    )


def succeed(old: list[Meter], new: list[Meter]) -> list[Meter]:
    """The meters of a run after a swap: one of ``new`` takes what those of ``old`` with its name have counted."""
    heirs = {meter.name: meter for meter in reversed(new)}
    for meter in old:
        if meter.name in heirs:
            heirs[meter.name].take(meter)
    return [*(meter for meter in old if meter.name not in heirs), *new]
