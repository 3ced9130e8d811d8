"""How a run is shown: a progress bar on a terminal, plain lines or JSON otherwise, a summary at the end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from visionkit.app.failures import failure_lines
from visionkit.app.interrupts import raise_forgotten

if TYPE_CHECKING:
    from visionkit.api import Job, Pipeline
    from visionkit.app.live.session import View
    from visionkit.media.sources import SourceOptions
    from visionkit.pipeline.options import CompileOptions
    from visionkit.runtime.batch import BatchOptions
    from visionkit.runtime.lanes import SourceCounts
    from visionkit.runtime.metrics import RunSummary

INTERVAL = 5.0
"""Seconds between plain progress lines."""


class Reporter:
    """Runs a pipeline and tells the user about it.

    Args:
        json: machine-readable lines on stdout.
        quiet: nothing but errors.
    """

    def __init__(self, json: bool = False, quiet: bool = False) -> None:
        self._json = json
        self._quiet = quiet

    def execute(
        self,
        pipeline: Pipeline,
        inputs: Sequence[str],
        out: Path,
        overwrite: bool,
        options: SourceOptions,
        trust: bool = False,
        watched: tuple[Path, CompileOptions] | None = None,
        batch: BatchOptions | None = None,
        view: View | None = None,
    ) -> int:
        """Runs; returns the exit code.

        ``watched`` is the file to take over anew whenever it is saved, ``view`` how a ``live`` output is seen.
        """
        from visionkit.api import Job
        from visionkit.app.exit_codes import EXIT_INTERRUPTED, EXIT_SOME_FAILED
        from visionkit.app.live.session import Shown
        from visionkit.app.watch import Watcher

        settings = pipeline._run_settings()
        shown = Shown(pipeline.plan, view, lambda told: Job(pipeline.plan, settings, told, trust), self._say)
        job = shown.job
        with ExitStack() as stack:
            signals = stack.enter_context(stop_on_signals(job))
            stack.enter_context(self._watching(job))
            if watched is not None and not shown.watches:
                stack.enter_context(Watcher(job, *watched, lambda text: typer.echo(text, err=True)))
            run = partial(job.run, inputs, out=out, overwrite=overwrite, options=options, batch=batch)
            summary = shown.run(out, partial(run, progress=self._download))
        self._show(summary, out)
        if signals:
            return EXIT_INTERRUPTED
        failed = summary.failed or summary.object_failures or summary.counts.get("failed_before")
        return EXIT_SOME_FAILED if failed else 0

    @contextmanager
    def _watching(self, job: Job) -> Iterator[None]:
        if self._quiet:
            yield
            return
        target = self._bar if sys.stderr.isatty() and not self._json else self._lines
        with beside(partial(target, job)):
            yield

    def _lines(self, job: Job, done: threading.Event) -> None:
        started = time.monotonic()
        while not done.wait(INTERVAL):
            counted = job.engine.totals if job.engine is not None else None
            if counted is None or not counted.received:
                continue
            seconds = time.monotonic() - started
            if self._json:
                counts = {"out": counted.out, "failed": counted.failed, "dropped": counted.dropped}
                typer.echo(json.dumps({"event": "progress", **counts, "seconds": round(seconds, 1)}))
            else:
                typer.echo(
                    f"{counted.out} done, {counted.failed} failed, {counted.out / seconds:.1f} per second", err=True
                )

    def _bar(self, job: Job, done: threading.Event) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("running", total=None, rate="")
            started = time.monotonic()
            while not done.wait(0.2):
                counted = job.engine.totals if job.engine is not None else None
                if counted is None or not counted.received:
                    started = time.monotonic()
                    continue
                finished = counted.out + counted.failed
                rate = finished / max(1e-6, time.monotonic() - started)
                progress.update(task, completed=finished, total=job.total, rate=f"{rate:.1f}/s")

    def _say(self, text: str) -> None:
        if self._json:
            typer.echo(json.dumps({"event": "live", "text": text}))
        else:
            typer.echo(text, err=True)

    def _download(self, name: str, done: int, total: int) -> None:
        if self._quiet or self._json:
            return
        if done == 0 or done == total:
            size = f"{total / 1e6:.1f} MB" if total else "size unknown"
            typer.echo(f"weights: {name} ({size}){' ready' if done and done == total else ' ...'}", err=True)

    def _show(self, summary: RunSummary, out: Path) -> None:
        failures = failure_lines(out, summary.failed, summary.counts.get("failed_before", 0))
        if self._json:
            typer.echo(json.dumps({"event": "summary", **summary_dict(summary), "failures": failures}))
            return
        for line in failures:
            typer.echo(line, err=True)
        if not self._quiet:
            typer.echo(summary_text(summary, out))


def summary_dict(summary: RunSummary) -> dict[str, Any]:
    """The summary as plain data."""
    names = ("received", "out", "dropped", "failed", "object_failures", "interrupted")
    return {
        **{name: getattr(summary, name) for name in names},
        "seconds": round(summary.seconds, 3),
        "fps": round(summary.fps, 2),
        "ms": {node.name: round(node.ms, 3) for node in summary.nodes},
        "bottleneck": summary.bottleneck.name if summary.bottleneck else None,
        "results": [str(path) for path in summary.results],
        "notes": list(summary.notes),
        "sources": [source_dict(source) for source in summary.sources if source.live],
        **summary.counts,
    }


def source_dict(source: SourceCounts) -> dict[str, Any]:
    """What became of the frames of a camera or stream, latencies in milliseconds."""
    names = ("name", "received", "out", "dropped", "failed")
    waits = {"latency_median_ms": source.latency_median, "latency_p95_ms": source.latency_p95}
    return {
        **{name: getattr(source, name) for name in names},
        **{name: None if wait is None else round(wait * 1000, 1) for name, wait in waits.items()},
        "gaps": source.connection.gaps if source.connection else 0,
    }


def source_text(source: SourceCounts) -> str:
    """One line about a camera or stream."""
    parts = [f"{source.out} of {source.received} frames done"]
    parts += [f"{n} {what}" for n, what in ((source.dropped, "dropped"), (source.failed, "failed")) if n]
    if source.latency_median is not None and source.latency_p95 is not None:
        median, most = source.latency_median * 1000, source.latency_p95 * 1000
        parts.append(f"capture to output {median:.0f} ms (95 %: {most:.0f} ms)")
    if source.connection and source.connection.gaps:
        gaps = source.connection.gaps
        parts.append(f"{gaps} gap{'s' if gaps > 1 else ''}")
    return f"{source.name}: {', '.join(parts)}"


def summary_text(summary: RunSummary, out: Path) -> str:
    """The summary as a person reads it."""
    if summary.counts.get("skipped") and not (summary.received or summary.interrupted):
        return "\n".join(["nothing to do", *(f"note: {note}" for note in summary.notes)])
    parts = [f"{summary.out} done"]
    parts += [f"{summary.failed} failed"] if summary.failed else []
    parts += [f"{summary.dropped} dropped"] if summary.dropped else []
    parts += [f"{summary.object_failures} objects failed"] if summary.object_failures else []
    lines = [f"{', '.join(parts)} of {summary.received} in {summary.seconds:.1f} s ({summary.fps:.1f} per second)"]
    if summary.interrupted:
        lines.append("stopped before the end; what was done is complete")
    spent = [f"{node.name} {node.ms:.1f}" for node in summary.nodes if node.seconds > 0.001]
    if spent:
        lines.append(f"ms each: {', '.join(spent)}")
    if summary.bottleneck is not None and summary.bottleneck.seconds > 0.1 * summary.seconds:
        node = summary.bottleneck
        share = node.seconds / max(1, node.workers) / max(1e-9, summary.seconds)
        lines.append(f"bottleneck: {node.name}, busy {min(1.0, share):.0%} of the time")
    lines += [source_text(source) for source in summary.sources if source.live]
    lines += [f"note: {note}" for note in summary.notes]
    shown = summary.results[:6]
    lines += [f"  {path}" for path in shown]
    if len(summary.results) > len(shown):
        lines.append(f"  ... and {len(summary.results) - len(shown)} more in {out}")
    return "\n".join(lines)


@contextmanager
def beside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """``work`` runs in a thread of its own meanwhile; its event is set when it shall end."""
    done = threading.Event()
    thread = threading.Thread(target=work, args=(done,), name="visionkit-report", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def stop_on_signals(job: Job, scratch: Path | None = None) -> Iterator[list[int]]:
    """SIGINT and SIGTERM end the run cleanly; a second one ends the process at once. Yields the signals that came.

    ``scratch``: a folder that shall not outlive the process.
    """
    came: list[int] = []

    def handle(number: int, _frame: Any) -> None:
        came.append(number)
        if len(came) > 1:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
            os._exit(128 + number)
        job.stop()
        with suppress(RuntimeError):  # it came while something else was printed
            typer.echo("stopping: finishing what is in flight (again to quit at once)", err=True)

    raise_forgotten()
    previous = {s: signal.signal(s, handle) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
