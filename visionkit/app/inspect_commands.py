"""Commands that look and run nothing: validate, explain, schema, stages, new, doctor, licences."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from visionkit.app.files import write_text
from visionkit.app.run_commands import PipelineArg, Sets, find_pipeline, parse_sets

if TYPE_CHECKING:
    from visionkit.pipeline.plan import Plan

AllowCode = Annotated[bool, typer.Option("--allow-code", help="Let '- python:' stages import your files.")]


def validate(
    pipelines: Annotated[list[str], typer.Argument(metavar="PIPELINE", help="Pipeline files.")],
    set_: Sets = None,
    allow_code: AllowCode = False,
) -> int:
    """Check pipeline files, all problems at once.

    Nothing is loaded or run.
    """
    from visionkit.app.exit_codes import EXIT_PIPELINE
    from visionkit.errors import PipelineError
    from visionkit.pipeline.compile import CompileOptions, compile_file

    options = CompileOptions(parse_sets(set_ or []), allow_code)
    problems = 0
    for name in pipelines:
        try:
            plan = compile_file(find_pipeline(name), options)
            typer.echo(f"{name}: good, {len(list(plan.walk()))} stages")
        except PipelineError as error:
            problems += len(error.problems)
            typer.echo(f"{error}\n", err=True)
    if problems:
        typer.echo(f"{problems} problem{'s' if problems > 1 else ''}", err=True)
    return EXIT_PIPELINE if problems else 0


def explain(
    pipeline: PipelineArg,
    set_: Sets = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="Print the graph as a Mermaid diagram.")] = False,
    why: Annotated[
        str, typer.Option("--why", metavar="STAGE.INPUT", help="How the wire into an input was chosen.")
    ] = "",
    allow_code: AllowCode = False,
) -> None:
    """Show what a pipeline compiles to.

    Its stages, wires, types and workers.
    """
    from visionkit.pipeline.compile import CompileOptions, compile_file
    from visionkit.pipeline.explain import mermaid as diagram
    from visionkit.pipeline.explain import table, why_wire

    plan = compile_file(find_pipeline(pipeline), CompileOptions(parse_sets(set_ or []), allow_code))
    if why:
        typer.echo(why_wire(plan, why))
    elif mermaid:
        typer.echo(diagram(plan))
    else:
        from visionkit.runtime.context import RunSettings

        settings = RunSettings.of(plan)
        typer.echo(table(plan, settings.worker_count, settings.batch_size(plan)))
        if settings.backend == "auto":
            for line in _backends(plan, settings.device):
                typer.echo(line)


def _backends(plan: Plan, device: str) -> list[str]:
    """What ``backend: auto`` means for the networks of a plan, where that was measured."""
    from visionkit.backends.choice import recall
    from visionkit.runtime.context import choose_device
    from visionkit.weights import Catalogue

    catalogue = Catalogue.load()
    entries = [catalogue.get(name) for name in plan.contents if name in catalogue]
    choices = [(entry.name, recall(entry, choose_device(device))) for entry in entries]
    return [f"{name}: backend {choice.backend} ({choice.reason})" for name, choice in choices if choice is not None]


def schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it to a file.")] = None,
) -> None:
    """Print the JSON Schema of pipeline files, for editors."""
    from visionkit.pipeline.schema import pipeline_schema

    text = json.dumps(pipeline_schema(), indent=2, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)


def stages(name: Annotated[str, typer.Argument(help="A stage, an output, or a family such as draw.")] = "") -> None:
    """List all stages and outputs, or show one.

    With parameters, inputs, outputs and an example.
    """
    from visionkit.app.stage_help import describe, describe_item, describe_output, listing
    from visionkit.errors import UsageError, did_you_mean
    from visionkit.pipeline.schema import language_items
    from visionkit.stage.catalogue import sinks
    from visionkit.stage.catalogue import stages as catalogue

    found, outputs, items = catalogue(), sinks(), language_items()
    if name in found:
        typer.echo(describe(name, found.get(name)))
    elif name in items:
        typer.echo(describe_item(name, items[name]))
    elif name in outputs:
        typer.echo(describe_output(name, outputs.get(name)))
    elif chosen := [n for n in found.names() if n.startswith(name)]:
        typer.echo(listing({n: found.get(n) for n in chosen}))
        if not name:
            typer.echo(f"\nof the language: {', '.join(items)}\noutputs: {', '.join(outputs.names())}")
    else:
        near = did_you_mean(name, [*found.names(), *items, *outputs.names()])
        help_ = near or "visionkit stages lists all of them"
        raise UsageError(f"there is no stage and no output {name!r}", help=help_)


def new(
    path: Annotated[Path, typer.Argument(help="The file to write.")],
    like: Annotated[str, typer.Option(help="A bundled pipeline to start from.")] = "",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Write a commented starter pipeline."""
    from visionkit.errors import UsageError
    from visionkit.resources import resource_dir

    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists already", help="--overwrite replaces it")
    source = find_pipeline(like) if like else resource_dir("pipelines") / "starter.yaml"
    write_text(path, moved(source, path.parent))
    typer.echo(f"wrote {path}; try: visionkit run {path} photo.jpg")


def moved(source: Path, folder: Path) -> str:
    """A pipeline's text for another folder: files that it names lie where they lay."""
    text = source.read_text(encoding="utf-8")
    if source.parent.resolve() == folder.resolve():
        return text

    def full(word: re.Match[str]) -> str:
        path = source.parent / word[0]
        return json.dumps(path.resolve().as_posix(), ensure_ascii=False) if path.is_file() else word[0]

    lines = text.splitlines(keepends=True)
    return "".join(line if line.startswith("#") else re.sub(r"(?<=[ \[])[\w./-]+\.\w+", full, line) for line in lines)


def doctor() -> int:
    """Say what this machine has, and what is wrong with it.

    Packages, devices, codecs, weights.
    """
    from visionkit.app.doctor import report

    lines, healthy = report()
    typer.echo("\n".join(lines))
    return 0 if healthy else 1


def licences(pipeline: PipelineArg) -> None:
    """Say under which licences a pipeline's weights stand."""
    from visionkit.pipeline.compile import compile_file
    from visionkit.weights import Catalogue
    from visionkit.weights import licences as summarise

    plan = compile_file(find_pipeline(pipeline))
    catalogue = Catalogue.load()
    entries = [catalogue.get(name) for name in plan.contents if name in catalogue]
    if not entries:
        typer.echo("no weights: visionkit itself is Apache-2.0")
    for row in summarise(entries):
        typer.echo(f"{row.licence}: {', '.join(row.names)}{'  (copyleft)' if row.copyleft else ''}")
