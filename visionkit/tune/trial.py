"""Runs a pipeline with one set of settings for a few seconds and measures it once it flows."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

from visionkit.frozen import Frozen
from visionkit.tune.candidates import Candidate

if TYPE_CHECKING:
    from visionkit.api import Pipeline
    from visionkit.data import Packet
    from visionkit.media.sources import SourceOptions

WARM = 0.2
"""The share of a trial's frames that come before anything is measured."""
FEWEST = 8
"""Frames that a trial goes on for at least."""


class Trial(Frozen):
    """What one run showed.

    Attributes:
        fps: frames a second, from the first measured frame to the last.
        cpu: milliseconds of processor time a frame, over all threads.
        notes: what the run had to say.
    """

    fps: float
    cpu: float
    notes: tuple[str, ...] = ()


@dataclass
class _Clock:
    """Hears of every finished frame; stops the job in time."""

    seconds: float
    stamps: list[tuple[float, float]] = field(default_factory=list)
    job: Any = None

    def told(self, _: Packet) -> None:
        self.stamps.append((perf_counter(), process_time()))
        if len(self.stamps) >= FEWEST and self.stamps[-1][0] - self.stamps[0][0] >= self.seconds:
            self.job.stop()

    def rate(self) -> tuple[float, float]:
        """Frames a second and milliseconds of processor time a frame; 0 where too few came out to say."""
        if len(self.stamps) < FEWEST:
            return 0.0, 0.0
        measured = self.stamps[int(len(self.stamps) * WARM) :]
        (begin, used), (end, all_used) = measured[0], measured[-1]
        frames = len(measured) - 1
        return frames / max(end - begin, 1e-9), (all_used - used) * 1000 / frames


def tried(
    pipeline: Pipeline,
    candidate: Candidate,
    inputs: Sequence[Any],
    options: SourceOptions,
    seconds: float,
    trust: bool = False,
) -> Trial:
    """Runs for about ``seconds`` after the first frame, outputs and all; the results are thrown away.

    Raises:
        VisionkitError: the pipeline cannot run this way.
    """
    from visionkit.api import Job
    from visionkit.runtime.batch import BatchOptions

    clock = _Clock(seconds)
    clock.job = Job(pipeline.plan, replace(pipeline._run_settings(), **asdict(candidate)), clock.told, trust)
    with tempfile.TemporaryDirectory(prefix="visionkit-") as folder:
        kept = BatchOptions(keep=False)
        summary = clock.job.run(inputs, out=Path(folder), overwrite=True, options=options, batch=kept)
    return Trial(*clock.rate(), tuple(summary.notes))
