"""``visionkit run`` and ``visionkit demo``."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visionkit.app.batch_commands import (
    EngineName,
    RayAddress,
    Report,
    Resume,
    RetryFailed,
    Shard,
    parse_engine,
    parse_shard,
)
from visionkit.app.camera_options import FourCC, Size, Stall, parse_size
from visionkit.app.files import check_folder
from visionkit.errors import MissingExtraError, UsageError
from visionkit.pipeline import networks

if TYPE_CHECKING:
    from visionkit.api import Pipeline
    from visionkit.app.live.session import View
    from visionkit.pipeline.options import CompileOptions

PipelineArg = Annotated[str, typer.Argument(metavar="PIPELINE", help="A pipeline file, or the name of a bundled one.")]
Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SOURCE", help="Pictures, folders, globs, videos, a camera number, URLs, or - for paths on stdin."
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", help="The folder for results.")]
OutOrAddress = Annotated[str, typer.Option("--out", "-o", help="The folder for results, or s3://bucket/folder.")]
Backend = Annotated[
    networks.Backend | None,
    typer.Option(help="What runs networks; auto is the fastest that tune measured here."),
]
Precision = Annotated[
    networks.Precision | None,
    typer.Option(help="Numbers networks use; int8 needs tune --calibrate."),
]


def _device(value: str) -> str:
    from visionkit.stage.params import device_name

    try:
        return device_name(value) if value else value
    except ValueError as error:
        raise UsageError(f"--device {error}") from None


Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:0, mps.", callback=_device)]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Set a variable of the pipeline.")]


def run(
    pipeline: PipelineArg = "",
    sources: Sources = None,
    out: OutOrAddress = "out",
    set_: Sets = None,
    stage: Annotated[
        list[str] | None, typer.Option("--stage", help="Run these stages, without a file; may be repeated.")
    ] = None,
    device: Device = "",
    backend: Backend = None,
    precision: Precision = None,
    batch: Annotated[int | None, typer.Option(min=1, help="Largest batch a network gets.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads for stages that may run in parallel.")] = None,
    on_error: Annotated[str, typer.Option(help="What a failing packet does: skip or stop.")] = "skip",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew and replace existing results.")] = False,
    resume: Resume = True,
    retry_failed: RetryFailed = False,
    shard: Shard = "",
    report: Report = False,
    engine: EngineName = "local",
    ray_address: RayAddress = "",
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network for weights.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Let '- python:' stages run your files.")] = False,
    trust_weights: Annotated[bool, typer.Option("--trust-weights", help="Let weights that are pickles run.")] = False,
    sequence: Annotated[
        bool, typer.Option("--sequence", help="The pictures of a folder are frames of one source.")
    ] = False,
    from_: Annotated[float | None, typer.Option("--from", help="Start of a video, seconds.")] = None,
    to: Annotated[float | None, typer.Option("--to", help="End of a video, seconds.")] = None,
    fps: Annotated[float | None, typer.Option(help="Take at most so many frames a second.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames.")] = None,
    size: Size = "",
    fourcc: FourCC = "",
    stall: Stall = None,
    variants: Annotated[
        int | None, typer.Option(min=1, help="Run each file so many times: augment.* makes another picture each time.")
    ] = None,
    reduced: Annotated[
        bool,
        typer.Option(
            "--reduced-decode",
            help="Decode JPEGs at a fraction of their size where the pipeline shrinks them first: up to twice as fast, "
            "with slightly other pixels.",
        ),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Take over the pipeline file anew whenever it is saved.")
    ] = False,
    show: Annotated[bool, typer.Option("--show", help="Open a window that shows what is done.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Report in JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")] = False,
) -> int:
    """Run a pipeline on pictures, folders, videos or a camera."""
    from visionkit.api import Pipeline
    from visionkit.app.report import Reporter
    from visionkit.media.remote.target import target
    from visionkit.media.sources import SourceOptions
    from visionkit.pipeline.options import CompileOptions
    from visionkit.runtime.batch import BatchOptions

    if on_error not in ("skip", "stop"):
        raise UsageError(f"--on-error must be skip or stop, got {on_error!r}")
    variables = parse_sets(set_ or [])
    given = list(sources or [])
    if stage:
        given = [pipeline, *given] if pipeline else given
        if files := [name for name in given if name.endswith((".yaml", ".yml"))]:
            raise UsageError(f"--stage stands for a pipeline file, but {files[0]} is given too", help="leave one out")
        loaded = Pipeline.from_text(stages_text(stage), allow_code=allow_code, file="--stage", **variables)
    else:
        if not pipeline:
            raise UsageError("no pipeline was given", help="visionkit run pipeline.yaml photo.jpg")
        loaded = Pipeline.load(find_pipeline(pipeline), allow_code=allow_code, **variables)
    if not given:
        raise UsageError("no input was given", help="visionkit run pipeline.yaml photo.jpg")
    chosen = {"batch": batch, "workers": workers, "device": device or None, "on_error": on_error, "offline": offline}
    chosen |= {"backend": backend, "precision": precision}
    loaded = loaded.with_settings(**{k: v for k, v in chosen.items() if v is not None})
    device_wishes: dict[str, Any] = {"size": parse_size(size), "fourcc": fourcc or None, "stall": stall}
    options = SourceOptions(
        sequence=sequence, from_=from_, to=to, fps=fps, limit=limit, variants=variants, reduced=reduced, **device_wishes
    )
    watched = (find_pipeline(pipeline), CompileOptions(variables, allow_code)) if watch and not stage else None
    loaded, view = seen(loaded, pipeline, stage, CompileOptions(variables, allow_code), show)
    reporter = Reporter(json=json_, quiet=quiet)
    keep = watched is None and view is None
    kept = BatchOptions(resume, retry_failed, parse_shard(shard), keep, **parse_engine(engine, ray_address))
    goal = target(out)
    check_folder(goal.folder)
    goal.check(overwrite)
    try:
        code = reporter.execute(loaded, given, goal.folder, overwrite, options, trust_weights, watched, kept, view)
        if report:
            from visionkit.app.report_html import write_report

            typer.echo(f"report: {write_report(goal.folder)}", err=True)
    finally:
        if goal.url:
            typer.echo(f"{goal.send()} files were sent to {out}", err=True)
    return code


def seen(
    loaded: Pipeline, pipeline: str, stages: list[str] | None, options: CompileOptions, show: bool
) -> tuple[Pipeline, View | None]:
    """The pipeline and how it is seen: on a page if it has a ``live`` output, in windows with ``--show``."""
    has_page = any(output.name == "live" for output in loaded.plan.outputs)
    if not (has_page or show):
        return loaded, None
    from visionkit.app.live.session import PageOptions, View
    from visionkit.app.live_commands import origin_of
    from visionkit.pipeline.compile import compile_text

    options = replace(options, live="file" if has_page else "also")
    origin = origin_of(pipeline, stages, options)
    page = PageOptions(token=os.environ.get("VISIONKIT_TOKEN", "")) if has_page else None
    return replace(loaded, plan=compile_text(origin.text, origin.name, options)), View(origin, page, show)


def demo(
    out: Out = Path("demo"),
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network for weights.")] = False,
) -> int:
    """Find and track things in the bundled samples.

    With real weights; says where the results lie.
    """
    from visionkit.api import Pipeline
    from visionkit.app.report import Reporter
    from visionkit.media.sources import SourceOptions
    from visionkit.resources import resource_dir

    code = 0
    samples = resource_dir("samples")
    for name, inputs in DEMOS:
        typer.echo(f"\n{name}: {', '.join(inputs)}")
        loaded = Pipeline.load(resource_dir("pipelines") / name).with_settings(offline=offline)
        given = [str(samples / i) for i in inputs]
        try:
            code = max(code, Reporter().execute(loaded, given, out / Path(name).stem, True, SourceOptions()))
        except MissingExtraError as error:
            typer.echo(f"left out: {error.message}; {error.help}")
    typer.echo(f"\nOpen the pictures and videos in {out.resolve()}")
    return code


DEMOS = (
    ("detect.yaml", ("photos",)),
    ("edges.yaml", ("photos/coffee.jpg",)),
    ("track.yaml", ("walk.mp4",)),
    ("plates.yaml", ("traffic.mp4",)),
)
"""What the demo runs: a bundled pipeline and bundled samples."""


def parse_sets(texts: list[str]) -> dict[str, Any]:
    """``["n=10"]`` → ``{"n": 10}``, values as YAML reads them."""
    from visionkit.pipeline.variables import parse_value

    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"--set takes name=value, got {text!r}")
        values[name] = parse_value(value)
    return values


def stages_text(stages: list[str]) -> str:
    """``--stage detect --stage 'draw.boxes: {trail: 5}'`` as a pipeline."""
    return "\n".join(["stages:", *(f"  - {stage}" for stage in stages)])


def find_pipeline(name: str) -> Path:
    """A path as it is; otherwise a bundled pipeline by its name.

    Raises:
        UsageError: there is neither; the help has the names nearest to it.
    """
    from visionkit.errors import did_you_mean
    from visionkit.resources import bundled_pipeline, resource_dir

    path = Path(name)
    if path.is_dir():
        raise UsageError(f"{name}: is a folder, not a pipeline file")
    found = path if path.exists() else bundled_pipeline(name)
    if found is not None:
        return found
    known = sorted(p.stem for p in resource_dir("pipelines").glob("*.yaml"))
    near = did_you_mean(path.stem, known)
    if path.suffix or len(path.parts) > 1:
        beside = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise UsageError(f"{name}: there is no such file", help=did_you_mean(path.name, beside) or near)
    raise UsageError(f"there is no pipeline {name!r}", help=near or f"bundled pipelines: {', '.join(known)}")
