"""Train an autoencoder, a VAE or a GAN on the pictures of a folder, and draw what it makes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, cast

from visionkit.errors import DataError, SourceError
from visionkit.frozen import Frozen
from visionkit.lazy import cv2, load, np, torch
from visionkit.media.sources.kinds import PICTURES
from visionkit.media.sources.pictures import load_picture
from visionkit.nets.generative import autoencoder, codes_of, draw, gan, vae
from visionkit.train.loop import Schedule, fit, shuffled_batches

if TYPE_CHECKING:
    from torch import Tensor, nn

Kind = Literal["autoencoder", "vae", "gan"]
BATCH = 64
GRID = 6
NOISE = 0.1


class Dream(Frozen):
    """What to train.

    Attributes:
        kind: "autoencoder" (it also learns to remove noise), "vae" or "gan".
        size: side of the pictures in pixels, a multiple of 8.
        code: how many numbers a picture is made of.
        steps: steps of 64 pictures.
        seed: of everything.
        device: "cpu" or "cuda".
    """

    kind: Kind
    size: int = 32
    code: int = 64
    steps: int = 2000
    seed: int = 0
    device: str = "cpu"


def read_squares(folder: Path, size: int) -> Tensor:
    """The middle square of every picture below ``folder``, (N, 3, size, size) uint8 RGB; other files are left out.

    Raises:
        DataError: fewer than two pictures can be read.
    """
    squares = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower().lstrip(".") in PICTURES):
        try:
            pixels = load_picture(str(path)).rgb()
        except SourceError:
            continue
        side = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
        square = pixels[top : top + side, left : left + side]
        squares.append(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA).transpose(2, 0, 1))
    if len(squares) < 2:
        raise DataError(f"{folder}: {len(squares)} pictures can be read, at least two are needed")
    return torch.from_numpy(np.stack(squares))


def imagine(folder: Path, dream: Dream, out: Path) -> list[float]:
    """Train on ``folder``; write ``KIND.safetensors``, ``KIND.json`` and what it makes, ``KIND.png``; the losses.

    The picture shows originals above what became of them, and for a VAE and a GAN drawn ones.
    """
    pictures = read_squares(folder, dream.size)
    torch.manual_seed(dream.seed)
    build, trainer = KINDS[dream.kind]
    net = build(dream.size, dream.code).to(dream.device)
    started = time.monotonic()
    losses = trainer(net, pictures, dream)
    out.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(out / f"{dream.kind}.png"), sheet(net, pictures, dream))
    state = {name: value.cpu().contiguous() for name, value in net.state_dict().items()}
    load("safetensors.torch").save_file(state, str(out / f"{dream.kind}.safetensors"))
    report = {
        **vars(dream),
        "pictures": len(pictures),
        "losses": [round(loss, 4) for loss in losses],
        "seconds": round(time.monotonic() - started),
    }
    (out / f"{dream.kind}.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    return losses


def sheet(net: nn.ModuleDict, pictures: Tensor, dream: Dream) -> Any:
    """What the network makes, as one picture (H, W, 3) uint8 BGR: rows of originals, rebuilt ones, drawn ones."""
    net.eval()
    rows = []
    with torch.inference_mode():
        if dream.kind != "gan":
            shown = _float(pictures[: 2 * GRID]).to(dream.device)
            rebuilt = rebuild(net, shown)
            for start in range(0, len(shown), GRID):
                rows += [shown[start : start + GRID], rebuilt[start : start + GRID]]
        if dream.kind != "autoencoder":
            drawn = draw(net, GRID * GRID, torch.Generator().manual_seed(dream.seed))
            rows += [drawn[start : start + GRID] for start in range(0, len(drawn), GRID)]
    blank = torch.ones((GRID, 3, dream.size, dream.size))
    lines = [torch.cat([row.cpu().float(), blank[len(row) :]]).permute(2, 0, 3, 1).flatten(1, 2) for row in rows]
    grid = (torch.cat(lines).clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return cv2.resize(grid[..., ::-1], None, fx=3, fy=3, interpolation=cv2.INTER_NEAREST)


def rebuild(net: nn.ModuleDict, pictures: Tensor) -> Tensor:
    """What an autoencoder or a VAE makes of pictures (B, 3, S, S), of a VAE from the mean codes."""
    codes = net["encoder"](pictures)
    width = next(net["decoder"].parameters()).shape[1]
    return cast("Tensor", net["decoder"](codes[:, :width]))


def _fit_autoencoder(net: nn.ModuleDict, pictures: Tensor, dream: Dream) -> list[float]:
    """Squared error to the clean picture; it is shown one with noise."""

    def loss(batch: Sequence[Tensor]) -> Tensor:
        clean = _views(batch, dream.device)
        noisy = (clean + NOISE * torch.randn_like(clean)).clamp(0, 1)
        found: Tensor = torch.nn.functional.mse_loss(rebuild(net, noisy), clean)
        return found

    return _fitted(net, pictures, loss, dream)


def _fit_vae(net: nn.ModuleDict, pictures: Tensor, dream: Dream) -> list[float]:
    """The evidence lower bound, for a pixel's standard deviation of a tenth."""

    def loss(batch: Sequence[Tensor]) -> Tensor:
        clean = _views(batch, dream.device)
        mean, log_variance = codes_of(net, clean)
        drawn = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        error = (net["decoder"](drawn) - clean).square().flatten(1).sum(1) / (2 * 0.1**2)
        distance = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
        bound: Tensor = (error + distance).mean() / clean[0].numel()
        return bound

    return _fitted(net, pictures, loss, dream)


def _fitted(net: nn.ModuleDict, pictures: Tensor, loss: Callable[[Any], Tensor], dream: Dream) -> list[float]:
    schedule = Schedule(dream.steps, min(BATCH, len(pictures)), 2e-3, 1e-4)
    return fit(net, list(pictures), loss, schedule, seed=dream.seed, device=dream.device)


def _fit_gan(net: nn.ModuleDict, pictures: Tensor, dream: Dream) -> list[float]:
    """The hinge loss, a step of each in turn; the mean distance between real and made in the critic's eyes."""
    makers, critics = (
        torch.optim.Adam(part.parameters(), 2e-4, (0.0, 0.9)) for part in (net["decoder"], net["critic"])
    )
    batches = shuffled_batches(list(pictures), min(BATCH, len(pictures)), dream.seed)
    net.train()
    relu = torch.nn.functional.relu
    history: list[float] = []
    running = 0.0
    for step in range(1, dream.steps + 1):
        real = _views(next(batches), dream.device)
        made = net["decoder"](torch.randn((len(real), dream.code), device=dream.device))
        true, false = net["critic"](real), net["critic"](made.detach())
        _step(critics, relu(1 - true).mean() + relu(1 + false).mean())
        _step(makers, -net["critic"](made).mean())
        running += float((true.mean() - false.mean()).detach())
        if step % 50 == 0 or step == dream.steps:
            history.append(running / ((step - 1) % 50 + 1))
            running = 0.0
    return history


def _step(optimiser: Any, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimiser.step()


def _views(batch: Sequence[Tensor], device: str) -> Tensor:
    """(B, 3, S, S) in 0..1, mirrored half of the time."""
    coins = torch.rand(len(batch)).tolist()
    views = [picture.flip(2) if coin < 0.5 else picture for picture, coin in zip(batch, coins, strict=True)]
    return _float(torch.stack(views)).to(device)


def _float(pictures: Tensor) -> Tensor:
    return pictures.float() / 255


KINDS: MappingProxyType[str, tuple[Callable[[int, int], nn.ModuleDict], Callable[..., list[float]]]] = MappingProxyType(
    {
        "autoencoder": (autoencoder, _fit_autoencoder),
        "vae": (vae, _fit_vae),
        "gan": (gan, _fit_gan),
    }
)
