"""``visionkit live``, and what ``run`` needs to be seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from visionkit.app.camera_options import FourCC, Size, Stall, parse_size
from visionkit.app.run_commands import Device, PipelineArg, Sets, Sources, find_pipeline, parse_sets, stages_text
from visionkit.errors import UsageError

if TYPE_CHECKING:
    from visionkit.app.live.session import Origin
    from visionkit.pipeline.options import CompileOptions

FOLDER = Path("live")
"""Where recordings go without --out."""
Stages = Annotated[
    list[str] | None, typer.Option("--stage", help="Show these stages, without a file; may be repeated.")
]
Token = Annotated[
    str,
    typer.Option(
        envvar="VISIONKIT_TOKEN",
        show_envvar=True,
        help="What one must know to see the page; auto makes one. Command lines can be read by others on this machine.",
    ),
]


def live(
    pipeline: PipelineArg = "",
    sources: Sources = None,
    stage: Stages = None,
    set_: Sets = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on; 127.0.0.1 if not given.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = None,
    token: Token = "",
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", metavar="NAME", help="A further name the page goes by.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write the file's outputs here too.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace results that are there.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Open a window for every source too.")] = False,
    device: Device = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Threads for stages that may run in parallel.")] = None,
    fps: Annotated[float | None, typer.Option(help="Take at most so many frames a second of a source.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after so many frames of each source.")] = None,
    size: Size = "",
    fourcc: FourCC = "",
    stall: Stall = None,
    replay: Annotated[
        bool, typer.Option(help="Play files at their own rate, again and again; else each is worked through once.")
    ] = True,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network for weights.")] = False,
    allow_code: Annotated[bool, typer.Option("--allow-code", help="Let '- python:' stages run your files.")] = False,
    trust_weights: Annotated[bool, typer.Option("--trust-weights", help="Let weights that are pickles run.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Report in JSON lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the address and errors only.")] = False,
) -> int:
    """Run a pipeline and see it in the browser.

    With every parameter as a slider.
    """
    from visionkit.api import Pipeline
    from visionkit.app.live.session import PageOptions, View
    from visionkit.app.report import Reporter
    from visionkit.media.sources import SourceOptions, open_sources
    from visionkit.pipeline.compile import compile_text
    from visionkit.pipeline.options import CompileOptions
    from visionkit.runtime.batch import BatchOptions

    given = [*([pipeline] if stage and pipeline else []), *(sources or [])]
    if not given:
        raise UsageError("no input was given", help="visionkit live edges 0; or a video, a photo, an address")
    options = CompileOptions(parse_sets(set_ or []), allow_code, live="only" if out is None else "also")
    origin = origin_of(pipeline, stage, options)
    chosen: dict[str, Any] = {"workers": workers, "device": device or None, "offline": offline}
    loaded = Pipeline(compile_text(origin.text, origin.name, options))
    loaded = loaded.with_settings(**{k: v for k, v in chosen.items() if v is not None})
    wishes: dict[str, Any] = {"size": parse_size(size), "fourcc": fourcc or None, "stall": stall}
    read = SourceOptions(fps=fps, limit=limit, replay=replay, **wishes)
    if "-" not in given:  # an input that is not there is said before there is a page
        open_sources(given, read)
    view = View(origin, PageOptions(host, port, token, tuple(name.lower() for name in allow_host or ())), show)
    return Reporter(json=json_, quiet=quiet).execute(
        loaded,
        given,
        out or FOLDER,
        overwrite or out is None,
        read,
        trust_weights,
        batch=BatchOptions(keep=False),
        view=view,
    )


def origin_of(pipeline: str, stages: list[str] | None, options: CompileOptions) -> Origin:
    """Where a plan comes from: a file, or the command line.

    Raises:
        UsageError: there is no such file.
    """
    from visionkit.app.live.session import Origin

    if stages:
        return Origin(stages_text(stages), "--stage", None, options)
    if not pipeline:
        raise UsageError("no pipeline was given", help="visionkit live edges 0")
    return Origin.of_file(find_pipeline(pipeline), options)
