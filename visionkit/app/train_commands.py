"""``visionkit train`` and ``visionkit imagine``: networks made from a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer

from visionkit.app.run_commands import Device


def train(
    folder: Annotated[Path, typer.Argument(help="A folder with a folder of pictures for each class.", exists=True)],
    name: Annotated[str, typer.Option(help="What to call the result in the weights catalogue.")],
    weights: Annotated[
        str, typer.Option(help="The classifier to start from: alexnet, vgg16, resnet18, ...")
    ] = "mobilenet_v2",
    whole: Annotated[bool, typer.Option("--whole", help="Every layer learns, not only the last.")] = False,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of 32 pictures.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network on a CPU.")] = 0,
    device: Device = "auto",
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the scores go.")] = Path("trained"),
) -> None:
    """Teach a pretrained classifier your own classes.

    It is judged on unseen pictures and becomes an entry of the catalogue.
    """
    from visionkit.train.own import Wish, train_classifier

    report = train_classifier(folder, Wish(name, weights, whole, steps, seed, device), out)
    typer.echo(f"accuracy {report.accuracy:.3f} on {report.held_out} held-out pictures; scores in {out}")
    if report.unread:
        typer.echo(f"{report.unread} files are no pictures: see {out / (name + '.json')}", err=True)
    typer.echo(f"use it as: - classify: {{weights: {name}}}")


def imagine(
    folder: Annotated[Path, typer.Argument(help="A folder of pictures of one kind of thing.", exists=True)],
    kind: Annotated[str, typer.Option(help="autoencoder, vae or gan.")] = "vae",
    size: Annotated[int, typer.Option(min=16, max=256, help="Side of the pictures, a multiple of 8.")] = 32,
    steps: Annotated[int, typer.Option(min=1, help="Steps of 64 pictures.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same network on a CPU.")] = 0,
    device: Device = "auto",
    out: Annotated[Path, typer.Option("-o", "--out", help="Where the pictures and the weights go.")] = Path("imagined"),
) -> None:
    """Train an autoencoder, a VAE or a GAN on pictures.

    A sheet shows what it makes of them, and what it makes up.
    """
    from visionkit.errors import UsageError
    from visionkit.runtime.context import choose_device
    from visionkit.train import generative

    if kind not in generative.KINDS or size % 8:
        raise UsageError(f"--kind {kind} --size {size}", help="autoencoder, vae or gan; a size that 8 divides")
    dream = generative.Dream(cast(generative.Kind, kind), size, steps=steps, seed=seed, device=choose_device(device))
    generative.imagine(folder, dream, out)
    typer.echo(f"{out / kind}.png shows it; {kind}.safetensors and {kind}.json lie beside it")
