"""``visionkit profile``: a run, watched; then where its time went."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visionkit.app.exit_codes import EXIT_SOME_FAILED
from visionkit.app.failures import failure_lines
from visionkit.app.files import check_writable, write_text
from visionkit.app.run_commands import Backend, Device, PipelineArg, Precision, Sets, Sources, find_pipeline, parse_sets
from visionkit.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from visionkit.api import Job, Pipeline
    from visionkit.profile import Profiler, Report
    from visionkit.runtime.metrics import RunSummary

Trace = Annotated[
    Path | None, typer.Option("--trace", help="Write a trace for Perfetto or chrome://tracing to this file.")
]
Seconds = Annotated[float, typer.Option(min=0, help="Stop after so many seconds; 0 runs to the end.")]


def profile(
    pipeline: PipelineArg = "",
    sources: Sources = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Keep the results; else thrown away.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    trace: Annotated[
        Path | None, typer.Option("--trace", help="Write a trace for Perfetto or chrome://tracing.")
    ] = None,
    seconds: Seconds = 30.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    set_: Sets = None,
    device: Device = "",
    backend: Backend = None,
    precision: Precision = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Largest batch a network gets.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads for stages that may run in parallel.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network for weights.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Let '- python:' stages run your files.")] = False,
    trust_weights: Annotated[bool, typer.Option("--trust-weights", help="Let weights that are pickles run.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Run a pipeline and say where the time went.

    By stage and by library; what waited, what was converted, what the bottleneck is.
    """
    from visionkit.api import Pipeline
    from visionkit.media.sources import SourceOptions
    from visionkit.profile import trace_events

    if not pipeline or not sources:
        raise UsageError("a pipeline and an input are needed", help="visionkit profile pipeline.yaml video.mp4")
    if trace is not None:
        check_writable(trace)
    loaded = Pipeline.load(find_pipeline(pipeline), allow_code=allow_code, **parse_sets(set_ or []))
    chosen = {
        "device": device,
        "backend": backend,
        "precision": precision,
        "batch": batch,
        "workers": workers,
        "offline": offline,
    }
    loaded = loaded.with_settings(**{name: value for name, value in chosen.items() if value})
    with ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="visionkit-")))
        run = _Run(loaded, folder, overwrite, seconds, trust_weights, thrown_away=out is None, quiet=json_)
        profiler, summary, report = run.execute(sources, SourceOptions(limit=limit))
        for line in failure_lines(folder, summary.failed):
            typer.echo(line, err=True)
    if trace is not None:
        write_text(trace, json.dumps(trace_events(profiler)))
    typer.echo(json.dumps(report.to_dict()) if json_ else text(report))
    if trace is not None and not json_:
        typer.echo(f"trace: {trace} (open it in ui.perfetto.dev or chrome://tracing)")
    return EXIT_SOME_FAILED if summary.failed or summary.object_failures else 0


class _Run:
    """One profiled run: stops in time, shows a table while it goes."""

    def __init__(
        self,
        pipeline: Pipeline,
        out: Path,
        overwrite: bool,
        seconds: float,
        trust: bool,
        thrown_away: bool,
        quiet: bool,
    ) -> None:
        from visionkit.api import Job
        from visionkit.profile import Profiler

        self.profiler = Profiler()
        settings = replace(pipeline._run_settings(), meters=self.profiler.meter)
        self.job = Job(pipeline.plan, settings, trust=trust)
        self._out, self._overwrite, self._seconds, self._quiet = out, overwrite or thrown_away, seconds, quiet
        self._scratch = out if thrown_away else None

    def execute(self, sources: list[str], options: Any) -> tuple[Profiler, RunSummary, Report]:
        from visionkit.app.report import beside, stop_on_signals
        from visionkit.runtime.batch import BatchOptions
        from visionkit.runtime.context import cores

        with stop_on_signals(self.job, self._scratch), self.profiler.watching(self.job), beside(self._watch):
            summary = self.job.run(
                sources, out=self._out, overwrite=self._overwrite, options=options, batch=BatchOptions(keep=False)
            )
        return self.profiler, summary, self.profiler.report(summary, cores())

    def _watch(self, done: threading.Event) -> None:
        """Ends the run in time; on a terminal, shows how it goes."""
        with ExitStack() as stack:
            live: Any = None
            if sys.stderr.isatty() and not self._quiet:
                from rich.console import Console
                from rich.live import Live

                live = stack.enter_context(Live(console=Console(stderr=True), transient=True, refresh_per_second=4))
            begun = None
            while not done.wait(0.25):
                counted = self.job.engine.totals if self.job.engine is not None else None
                if counted is None or not counted.received or self.job.engine is None:
                    continue
                now = monotonic()
                begun = begun or now
                if live is not None:
                    live.update(live_table(self.job, now - begun))
                if self._seconds and now - begun >= self._seconds:
                    self.job.stop()


def live_table(job: Job, seconds: float) -> Table:
    """Milliseconds and share of the time of every stage up to now."""
    from rich.table import Table

    assert job.engine is not None
    table = Table(title=f"{job.engine.totals.out} frames in {seconds:.0f} s", title_justify="left")
    for name in ("stage", "ms each", "of the time"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for node in sorted(job.engine.times, key=lambda node: (node.name != "source:read", node.name.endswith(":write"))):
        share = node.seconds / max(1, node.workers) / max(seconds, 1e-9)
        table.add_row(node.name, f"{node.ms:.2f}", f"{min(1.0, share):.0%}")
    return table


def text(report: Report) -> str:
    """The report as a person reads it."""
    fps = report.frames / report.seconds if report.seconds else 0.0
    lines = [f"{report.frames} frames in {report.seconds:.1f} s ({fps:.1f} per second)", ""]
    lines += _columns([("stage", "ms each", "worker", "libraries"), *_stage_rows(report)])
    lines += ["", *_columns([("worker", "threads", "busy", "waiting before it"), *_worker_rows(report)])]
    used = sum(report.cpu.values())
    lines += ["", f"processor time {used:.1f} s, {report.load:.0%} of {report.cores} cores:"] if used else []
    lines += [
        f"  {name} {seconds / max(used, 1e-9):.0%}" for name, seconds in report.cpu.items() if seconds > used / 100
    ]
    if report.gpu_idle is not None:
        lines.append(f"GPU idle {report.gpu_idle:.0%} of the time")
    if report.conversions:
        lines += ["", "conversions and copies of pictures:"]
    for one in report.conversions[:12]:
        where = one.stage or "between stages"
        lines.append(f"  {one.what}, in {where}: {one.count} of {one.nbytes / 1e6:.1f} MB, {one.ms:.2f} ms each")
    return "\n".join([*lines, "", report.bottleneck])


def _short(worker: str) -> str:
    """A worker of many stages by its first and its last."""
    stages = worker.split("+")
    return worker if len(stages) < 3 else f"{stages[0]} … {stages[-1]}"


def _stage_rows(report: Report) -> Iterator[tuple[str, ...]]:
    for stage in report.stages:
        if stage.seconds < 1e-4 * report.seconds:
            continue
        shares = ", ".join(f"{name} {share:.0%}" for name, share in stage.libraries.items() if share >= 0.02)
        yield stage.name, f"{stage.ms:.2f}", _short(stage.worker), shares


def _worker_rows(report: Report) -> Iterator[tuple[str, ...]]:
    for worker in report.workers:
        wait = f"{worker.waiting:.1f} frames, {worker.wait_ms:.0f} ms each" if worker.waiting >= 0.05 else "-"
        yield _short(worker.name), str(worker.threads), f"{worker.busy:.0%}", wait


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
