"""``visionkit weights``: list, show, pull, verify, import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

weights = typer.Typer(
    rich_markup_mode=None, help="Networks' weights: what there is and what is here.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="An entry of the catalogue.")]
Names = Annotated[list[str], typer.Argument(metavar="NAME", help="Entries of the catalogue.")]


@weights.command("list")
def list_(task: Annotated[str, typer.Argument(help="Only for this task: detect, classify, ...")] = "") -> None:
    """List the catalogue: name, task, size, licence, whether it is here."""
    from visionkit.weights import Catalogue, Store

    store = Store()
    for entry in Catalogue.load().entries(task or None):
        here = "here" if store.present(entry) else ""
        typer.echo(f"{entry.name:<34} {entry.task:<10} {entry.size / 1e6:>7.1f} MB  {entry.licence:<14} {here}")


@weights.command()
def show(name: Name) -> None:
    """Show one entry whole."""
    from visionkit.weights import Catalogue

    entry = Catalogue.load().get(name)
    for key, value in entry.model_dump(mode="json", exclude_none=True).items():
        if key == "classes":
            value = f"{len(value)}: {', '.join(value[:12])}{' ...' if len(value) > 12 else ''}"
        typer.echo(f"{key}: {_plain(value)}")


@weights.command()
def pull(names: Names) -> None:
    """Fetch and verify weights, so that later runs need no network."""
    from visionkit.weights import Catalogue, Store

    catalogue, store = Catalogue.load(), Store()
    for name in names:
        for path in store.pull(catalogue.get(name), progress=_progress):
            typer.echo(str(path))


@weights.command()
def verify(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="All that are here by default.")
    ] = None,
) -> int:
    """Check the files that are here against their hashes."""
    from visionkit.weights import Catalogue, Store

    catalogue, store = Catalogue.load(), Store()
    chosen = [catalogue.get(name) for name in names] if names else [e for e in catalogue.entries() if store.present(e)]
    bad = 0
    for entry in chosen:
        for file, verdict in store.verify(entry).items():
            bad += verdict not in ("ok", "good")
            typer.echo(f"{entry.name} {file}: {verdict}")
    return 1 if bad else 0


@weights.command("import")
def import_(
    path: Annotated[Path, typer.Argument(help="Your file: .onnx, .pt, .safetensors.")],
    task: Annotated[str, typer.Option(help="detect, classify, segment, ...")],
    name: Annotated[str, typer.Option(help="What to call it; by default the file's name.")] = "",
    classes: Annotated[
        Path | None,
        typer.Option(help="A text file with a class name per line; torchvision's detectors: the background first."),
    ] = None,
    like: Annotated[str, typer.Option(help="An entry with the same architecture and preprocessing.")] = "",
    loader: Annotated[str, typer.Option(help="How it becomes a network: onnx, torchvision:resnet18, timm:NAME …")] = "",
    preprocess: Annotated[
        list[str] | None, typer.Option(help="How it is fed: size=[640,640], fit=letterbox, mean=[0.5,0.5,0.5] …")
    ] = None,
    setting: Annotated[list[str] | None, typer.Option(help="What the loader must know: output=yolov5 …")] = None,
    licence: Annotated[str, typer.Option(help="Of the weights.")] = "unknown",
    copyleft: Annotated[bool, typer.Option("--copyleft", help="The licence may bind code that uses them.")] = False,
    trust: Annotated[bool, typer.Option("--trust", help="The file may be unpickled: it may run any code.")] = False,
) -> None:
    """Make a file of your own an entry of the catalogue."""
    from visionkit.weights import importing

    entry = importing.import_file(
        path,
        task=task,
        name=name or path.stem,
        classes=classes,
        like=like or None,
        loader=loader or None,
        preprocessing=importing.pairs(preprocess or (), "--preprocess"),
        settings=importing.pairs(setting or (), "--setting"),
        licence=licence,
        copyleft=copyleft,
        trust=trust,
    )
    typer.echo(f"imported as {entry.name}; use it as: - {task}: {{weights: {entry.name}}}")
    if entry.loader == "ultralytics" and not trust:
        typer.echo("it is a pickle: runs ask for --trust-weights, or import it with --trust if you made it yourself")


def _progress(name: str, done: int, total: int) -> None:
    if done == total > 0:
        typer.echo(f"{name}: {done / 1e6:.1f} MB", err=True)


def _plain(value: Any) -> str:
    import json

    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
