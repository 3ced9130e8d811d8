"""Puts the parts together around a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from visionkit.profile.conversions import Conversion, watching
from visionkit.profile.report import Report, analysed
from visionkit.profile.sampler import Sampler
from visionkit.profile.spans import Span, SpanMeter

if TYPE_CHECKING:
    from visionkit.api import Job
    from visionkit.runtime.metrics import RunSummary


class Profiler:
    """Watches one run of a job whose settings have ``meters=profiler.meter``.

    Attributes:
        spans: all work of all nodes.
        conversions: conversions and copies of pictures.
        sampler: what was seen of the threads.
    """

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.conversions: list[Conversion] = []
        self.sampler: Sampler | None = None

    def meter(self, name: str) -> SpanMeter:
        """A meter whose work is kept as spans."""
        return SpanMeter(name, self.spans)

    @contextmanager
    def watching(self, job: Job) -> Iterator[None]:
        """Watches while the context is open."""
        self.sampler = Sampler(lambda: job.engine.waiting if job.engine is not None else {})
        with watching() as self.conversions:
            self.sampler.start()
            try:
                yield
            finally:
                self.sampler.stop()

    def report(self, summary: RunSummary, cores: int) -> Report:
        """What was seen, summed up, once the run has ended."""
        assert self.sampler is not None, "nothing was watched"
        return analysed(summary, self.spans, self.sampler, self.conversions, cores)
