"""What can be chosen: settings of a run that change its speed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from visionkit.frozen import Frozen

if TYPE_CHECKING:
    from visionkit.pipeline.plan import Plan

CPU_BATCHES = (1, 2, 4)
GPU_BATCHES = (1, 8, 16, 32)


class Candidate(Frozen):
    """One way to run a pipeline.

    Attributes:
        backend: "auto" is the fastest of each network alone, "own" what its weights come for.
        batch: largest batch a network gets.
        workers: threads for stages that may run in parallel.
        decoder: "cpu", or "nvdec", a GPU's own.
        decoder_threads: of each video's decoder; 0 leaves it to the decoder.
    """

    backend: str = "auto"
    precision: str = "fp32"
    batch: int = 1
    workers: int = 1
    decoder: str = "cpu"
    decoder_threads: int = 0

    def changes(self, other: Candidate) -> dict[str, Any]:
        """What differs from ``other``."""
        before = asdict(other)
        return {name: value for name, value in asdict(self).items() if value != before[name]}


def batches(plan: Plan, device: str) -> tuple[int, ...]:
    """Batch sizes worth trying; one where there is no stage that takes batches."""
    if all(node.kind != "batch" for node in plan.walk()):
        return (1,)
    return GPU_BATCHES if device.startswith("cuda") else CPU_BATCHES


def variations(now: Candidate, name: str, values: Sequence[Any]) -> list[Candidate]:
    """``now`` first, then ``now`` with each other value of one setting."""
    others = [replace(now, **{name: value}) for value in values]
    return list(dict.fromkeys([now, *others]))


def worker_counts(cores: int) -> tuple[int, ...]:
    """1, 2, 4, ... up to all cores."""
    counts = [1]
    while counts[-1] * 2 < cores:
        counts.append(counts[-1] * 2)
    return tuple(dict.fromkeys([*counts, cores]))
