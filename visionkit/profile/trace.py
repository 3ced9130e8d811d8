"""A profile in Chrome's Trace Event Format, which Perfetto opens as well.

The format: "Trace Event Format", Google, 2016: complete events (``X``), counters (``C``) and names (``M``), times in
microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionkit.profile.profiler import Profiler

PROCESS = 1
Event = dict[str, Any]


def trace_events(profiler: Profiler) -> dict[str, Any]:
    """The whole file, ready for JSON; time begins with the first work."""
    return {"displayTimeUnit": "ms", "traceEvents": list(_events(profiler))}


def _events(profiler: Profiler) -> Iterator[Event]:
    sampler, spans = profiler.sampler, profiler.spans
    zero = min((span.begin for span in spans), default=0)
    threads = {ident: number for number, ident in enumerate(dict.fromkeys(span.thread for span in spans), 1)}
    yield {"ph": "M", "name": "process_name", "pid": PROCESS, "args": {"name": "visionkit"}}
    for ident, number in threads.items():
        name = sampler.names.get(ident, f"thread {number}") if sampler else f"thread {number}"
        about: Event = {"name": "thread_name", "args": {"name": name.removeprefix("visionkit:")}}
        yield {"ph": "M", "pid": PROCESS, "tid": number, **about}
    for span in spans:
        yield _complete(span.name, "stage", threads[span.thread], span.begin - zero, span.end - span.begin) | {
            "args": {"items": span.items}
        }
    for one in profiler.conversions:
        if one.thread in threads and one.at >= zero:
            args = {"bytes": one.nbytes}
            yield _complete(one.what, "conversion", threads[one.thread], one.at - zero, one.took) | {"args": args}
    for row in sampler.depths if sampler else ():
        if row.at >= zero:
            yield {"ph": "C", "name": "waiting", "pid": PROCESS, "ts": (row.at - zero) / 1000, "args": row.waiting}


def _complete(name: str, kind: str, thread: int, begin: int, length: int) -> Event:
    times: Event = {"ts": begin / 1000, "dur": length / 1000}
    return {"ph": "X", "name": name, "cat": kind, "pid": PROCESS, "tid": thread, **times}
