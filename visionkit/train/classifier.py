"""Teach a classifier your own classes: a pretrained network keeps what it sees, its last layer learns what to call it.

Transfer learning as in Yosinski et al., How transferable are features in deep neural networks?, NeurIPS 2014,
arXiv:1411.1792. Pictures lie in a folder for each class; they are prepared by the code that ``classify`` uses, so
what was learned is what runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends import fit as fit_picture
from visionkit.errors import DataError, SourceError, UsageError
from visionkit.frozen import Frozen
from visionkit.lazy import np, torch
from visionkit.media.sources.pictures import load_picture
from visionkit.train.loop import Schedule, fit

if TYPE_CHECKING:
    from torch import Tensor, nn

    from visionkit.backends.torchnet import TorchModel

HELD_OUT = 0.2
AT_ONCE = 32


class Labelled(Frozen):
    """A picture and its class.

    Attributes:
        path: the file.
        label: index of the class.
    """

    path: Path
    label: int


class Album(Frozen):
    """Pictures in a folder for each class.

    Attributes:
        classes: names of the folders, sorted.
        train: pictures to learn from.
        held_out: pictures to be judged on: a fifth of each class, chosen by a hash of the name, so that a picture stays
            on its side whatever is added.
    """

    classes: tuple[str, ...]
    train: tuple[Labelled, ...]
    held_out: tuple[Labelled, ...]


def read_album(folder: Path, endings: Sequence[str]) -> Album:
    """The classes and pictures below ``folder``.

    Raises:
        DataError: there are fewer than two classes, or a class with fewer than two pictures.
    """
    classes = tuple(sorted(p.name for p in folder.iterdir() if p.is_dir() and not p.name.startswith(".")))
    if len(classes) < 2:
        raise DataError(
            f"{folder}: {len(classes)} class folders, at least two are needed",
            help="put the pictures of each class into a folder with its name",
        )
    train: list[Labelled] = []
    held_out: list[Labelled] = []
    for label, name in enumerate(classes):
        found = sorted(p for p in (folder / name).rglob("*") if p.suffix.lower().lstrip(".") in endings)
        if len(found) < 2:
            raise DataError(f"{folder / name}: {len(found)} pictures, at least two are needed")
        found.sort(key=lambda p: hashlib.sha256(p.relative_to(folder).as_posix().encode()).digest())
        cut = max(1, round(len(found) * HELD_OUT))
        held_out += [Labelled(path, label) for path in found[:cut]]
        train += [Labelled(path, label) for path in found[cut:]]
    return Album(classes, tuple(train), tuple(held_out))


class Learned(Frozen):
    """What came of it.

    Attributes:
        net: the network with its new last layer.
        losses: mean loss of every 50 steps.
        truth: class index of each held-out picture.
        found: what the network says of it.
        unread: files that are no pictures.
    """

    net: nn.Module
    losses: list[float]
    truth: list[int]
    found: list[int]
    unread: list[Path]

    @property
    def accuracy(self) -> float:
        return sum(t == f for t, f in zip(self.truth, self.found, strict=True)) / len(self.truth)


def teach(model: TorchModel, album: Album, schedule: Schedule, *, whole: bool, seed: int) -> Learned:
    """Give a classifier new classes.

    Args:
        model: a classifier that torch runs, with pretrained weights; it is changed.
        album: what to learn.
        schedule: how long and how fast.
        whole: every layer learns, not the last one alone: better with many pictures, and many times as slow.
        seed: of the new layer and of the order.

    Raises:
        UsageError: the network does not end in a linear layer.
        DataError: none of the pictures of one side can be read.
    """
    torch.manual_seed(seed)
    unread: list[Path] = []
    net, device = model.module, model.device
    head = _new_head(net, len(album.classes)).to(device)
    if whole:
        net.requires_grad_(True)
        items = [(p, y) for y, p in _prepared(model, album.train, unread)]
        _need(items)
        losses = fit(net, items, lambda batch: _loss(net, model, batch), schedule, seed=seed, device=device)
    else:
        features = [(x, y) for y, x in _features(net, head, model, album.train, unread)]
        _need(features)
        head.requires_grad_(True)
        losses = fit(head, features, lambda batch: _head_loss(head, batch), schedule, seed=seed, device=device)
    truth, found = _judged(net.eval(), model, album.held_out, unread)
    _need(truth)
    return Learned(net, losses, truth, found, unread)


def _new_head(net: nn.Module, classes: int) -> nn.Linear:
    """Replaces the last linear layer, which every classifier of torchvision and timm ends in."""
    linear = [(name, part) for name, part in net.named_modules() if isinstance(part, torch.nn.Linear)]
    if not linear:
        raise UsageError("this network has no linear layer that could learn new classes", help="--weights mobilenet_v2")
    name, old = linear[-1]
    owner, _, last = name.rpartition(".")
    head = torch.nn.Linear(old.in_features, classes)
    setattr(net.get_submodule(owner), last, head)
    return head


def _prepared(model: TorchModel, items: Sequence[Labelled], unread: list[Path]) -> Iterator[tuple[int, Any]]:
    """Label and pixels (H, W, C) uint8 of every picture that can be read."""
    for item in items:
        try:
            image = load_picture(str(item.path))
        except SourceError:
            unread.append(item.path)
        else:
            yield item.label, fit_picture(image, model.spec).pixels


def _groups(found: Iterator[tuple[int, Any]]) -> Iterator[tuple[list[int], Any]]:
    """Labels and batches (N, H, W, C) uint8 of pictures of one size."""
    labels: list[int] = []
    pictures: list[Any] = []
    for label, pixels in found:
        if pictures and (len(pictures) == AT_ONCE or pixels.shape != pictures[0].shape):
            yield labels, np.stack(pictures)
            labels, pictures = [], []
        labels.append(label)
        pictures.append(pixels)
    if pictures:
        yield labels, np.stack(pictures)


def _features(
    net: nn.Module, head: nn.Module, model: TorchModel, items: Sequence[Labelled], unread: list[Path]
) -> Iterator[tuple[int, Tensor]]:
    """Label and what reaches the last layer, of each picture as it is and mirrored."""
    seen: list[Tensor] = []
    hook = head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    try:
        with torch.no_grad():
            for labels, batch in _groups(_prepared(model, items, unread)):
                for view in (batch, np.ascontiguousarray(batch[:, :, ::-1])):
                    net(model.pictures(view))
                    yield from zip(labels, seen.pop(), strict=True)
    finally:
        hook.remove()


def _head_loss(head: nn.Module, batch: Sequence[tuple[Tensor, int]]) -> Tensor:
    targets = torch.tensor([label for _, label in batch], device=batch[0][0].device)
    loss: Tensor = torch.nn.functional.cross_entropy(head(torch.stack([x for x, _ in batch])), targets)
    return loss


def _loss(net: nn.Module, model: TorchModel, batch: Sequence[tuple[Any, int]]) -> Tensor:
    """On views that are mirrored half of the time, drawn from torch's generator."""
    coins = torch.rand(len(batch)).tolist()
    views = [pixels[:, ::-1] if coin < 0.5 else pixels for coin, (pixels, _) in zip(coins, batch, strict=True)]
    logits = net(model.pictures(np.stack(views)))
    loss: Tensor = torch.nn.functional.cross_entropy(logits, torch.tensor([y for _, y in batch], device=logits.device))
    return loss


def _judged(
    net: nn.Module, model: TorchModel, items: Sequence[Labelled], unread: list[Path]
) -> tuple[list[int], list[int]]:
    """True and found class of every picture that can be read."""
    truth: list[int] = []
    found: list[int] = []
    with torch.inference_mode():
        for labels, batch in _groups(_prepared(model, items, unread)):
            truth += labels
            found += net(model.pictures(batch)).argmax(1).tolist()
    return truth, found


def _need(items: Sequence[Any]) -> None:
    if not items:
        raise DataError("none of the pictures can be read")
