"""Fit a torchvision-style detector on samples with boxes, and score it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from visionkit.lazy import torch
from visionkit.train.augment import Augmentation, random_view
from visionkit.train.loop import Schedule, fit
from visionkit.train.metrics import BoxScores, box_scores
from visionkit.train.samples import Sample

if TYPE_CHECKING:
    from torch import Tensor, nn


def train_detector(
    net: nn.Module,
    samples: Sequence[Sample],
    schedule: Schedule,
    augmentation: Augmentation,
    *,
    seed: int,
    device: str = "cpu",
) -> list[float]:
    """Train a detector that follows torchvision's protocol, in place; returns the losses over time."""
    random = torch.Generator().manual_seed(seed)

    def loss(batch: list[Sample]) -> Tensor:
        views = [random_view(sample, augmentation, random) for sample in batch]
        targets = [{"boxes": boxes, "labels": labels} for _, boxes, labels, _ in views]
        losses: dict[str, Tensor] = net([image for image, *_ in views], targets)
        return torch.stack(list(losses.values())).sum()

    there = [sample.to(device) for sample in samples]
    return fit(net.to(device), there, loss, schedule, seed=seed, device=device)


def score_detector(
    net: nn.Module, samples: Sequence[Sample], classes: Sequence[str], *, device: str = "cpu"
) -> BoxScores:
    """Average precision of the detector on whole, unaltered pictures, one at a time, in float32."""
    net.to(device).eval()
    with torch.inference_mode():
        found = [{k: v.cpu() for k, v in net([s.image.to(device) / 255])[0].items()} for s in samples]
    return box_scores(found, samples, classes)
