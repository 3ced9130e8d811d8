"""Where the time of a run goes: ``with Profiler() as profiler`` around a job, then ``profiler.report(summary)``.

Three things are watched: the meters of the engine, as spans; the stacks of its threads, a hundred times a second, for
the library that each is in; and the functions that convert and copy pictures.
"""

from __future__ import annotations

from visionkit.profile.profiler import Profiler
from visionkit.profile.report import Report
from visionkit.profile.trace import trace_events

__all__ = ["Profiler", "Report", "trace_events"]
