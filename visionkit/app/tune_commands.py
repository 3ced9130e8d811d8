"""``visionkit tune``: finds the fastest settings of a pipeline on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visionkit.app.exit_codes import EXIT_INTERRUPTED
from visionkit.app.run_commands import Device, PipelineArg, Sets, Sources, find_pipeline, parse_sets
from visionkit.errors import SinkError, UsageError, VisionkitError

if TYPE_CHECKING:
    from visionkit.tune import Candidate, Result

Calibrate = Annotated[
    Path | None,
    typer.Option(
        "--calibrate",
        metavar="FOLDER",
        help="Try int8 as well: a folder of pictures with YOLO's labels in a folder 'labels' beside it. Half of them "
        "calibrate, half check that no more than one point of mAP is lost.",
    ),
]


def tune(
    pipeline: PipelineArg = "",
    sources: Sources = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds for all measurements together, about.")] = 90.0,
    calibrate: Calibrate = None,
    write: Annotated[bool, typer.Option("--write", help="Write what was chosen into the file's run: section.")] = False,
    limit: Annotated[int | None, typer.Option(min=10, help="Measure on so many frames.")] = None,
    set_: Sets = None,
    device: Device = "",
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network for weights.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Let '- python:' stages run your files.")] = False,
    trust_weights: Annotated[bool, typer.Option("--trust-weights", help="Let weights that are pickles run.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Find the fastest settings of a pipeline on this machine.

    Backends, precision, batch, workers and decoder threads are measured.
    """
    from visionkit.api import Pipeline
    from visionkit.media.sources import SourceOptions
    from visionkit.runtime.context import cores
    from visionkit.tune import Tuner

    if not pipeline or not sources:
        raise UsageError("a pipeline and an input are needed", help="visionkit tune pipeline.yaml video.mp4")
    path = find_pipeline(pipeline)
    if write and path != Path(pipeline):
        raise UsageError(f"{pipeline} is a bundled pipeline", help=f"visionkit new my.yaml --like {pipeline}")
    loaded = Pipeline.load(path, allow_code=allow_code, **parse_sets(set_ or []))
    loaded = loaded.with_settings(**{k: v for k, v in {"device": device, "offline": offline}.items() if v})
    say = _silent if json_ else _say
    options = SourceOptions(limit=limit)
    try:
        result = Tuner(loaded, sources, options, budget, cores(), trust_weights, calibrate, say).run()
    except KeyboardInterrupt:
        typer.echo("interrupted: nothing was written", err=True)
        raise typer.Exit(EXIT_INTERRUPTED) from None
    failure = _written(path, settings_of(result)) if write else None
    typer.echo(json.dumps(result_dict(result)) if json_ else text(result, path, write and failure is None))
    if failure is not None:  # what was measured is shown all the same
        raise failure
    return 0


def _say(message: str) -> None:
    typer.echo(message, err=True)


def _silent(message: str) -> None:
    """JSON goes to programs."""


def _written(path: Path, settings: dict[str, Any]) -> VisionkitError | None:
    """Why the settings could not be put into the file, None if they could."""
    from visionkit.tune import write_run

    try:
        if settings:
            write_run(path, settings)
    except OSError as error:
        return SinkError(f"{path}: {error.strerror}")
    except UsageError as error:
        return error
    return None


def settings_of(result: Result) -> dict[str, Any]:
    """What the file has to say that it does not say yet."""
    return result.chosen.changes(result.start)


def result_dict(result: Result) -> dict[str, Any]:
    """The result as plain data."""
    rows = [{**asdict(row.candidate), "fps": row.fps, "cpu_ms": row.cpu, "best": row.best} for row in result.rows]
    gain = result.row(result.chosen).fps / result.row(result.start).fps
    return {"rows": rows, "run": settings_of(result), "times_as_fast": gain, "notes": list(result.notes)}


def _decoder(candidate: Candidate) -> str:
    return "nvdec" if candidate.decoder == "nvdec" else str(candidate.decoder_threads or "auto")


def text(result: Result, path: Path, written: bool) -> str:
    """The result as a person reads it."""
    head = ("backend", "precision", "batch", "workers", "decoder", "frames/s", "cpu ms", "")
    cells = [head]
    for row in result.rows:
        c = row.candidate
        mark = "chosen" if c == result.chosen else "frontier" if row.best else ""
        numbers = str(c.batch), str(c.workers), _decoder(c), f"{row.fps:.1f}", f"{row.cpu:.1f}"
        cells.append((c.backend, c.precision, *numbers, mark))
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    lines += ["", "frontier: nothing measured is faster and takes less processor time a frame"]
    lines += list(result.notes)
    settings, gain = settings_of(result), result.row(result.chosen).fps / result.row(result.start).fps
    if not settings:
        return "\n".join([*lines, "nothing was clearly faster than the settings as they are"])
    inner = ", ".join(f"{name}: {value}" for name, value in settings.items())
    did = f"written to {path}" if written else "--write puts it into the file"
    return "\n".join([*lines, f"{gain:.2f} times as fast: run: {{{inner}}} ({did})"])
