"""Fit a binary segmenter (one logit a pixel) on samples with masks, and score it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from visionkit.lazy import torch
from visionkit.train.augment import Augmentation, random_view
from visionkit.train.loop import Schedule, fit
from visionkit.train.metrics import PixelScores, pixel_scores
from visionkit.train.samples import Sample

if TYPE_CHECKING:
    from torch import Tensor, nn

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, which the backbone was trained with


def train_segmenter(
    net: nn.Module,
    samples: Sequence[Sample],
    schedule: Schedule,
    augmentation: Augmentation,
    *,
    seed: int,
    device: str = "cpu",
) -> list[float]:
    """Train a B×3×H×W → B×1×H×W network in place; returns the losses over time."""
    random = torch.Generator().manual_seed(seed)

    def loss(batch: list[Sample]) -> Tensor:
        views = [random_view(sample, augmentation, random) for sample in batch]
        logits = net(normalise(torch.stack([image for image, *_ in views])))[:, 0]
        return overlap_loss(logits.float(), torch.stack([mask for *_, mask in views if mask is not None]))

    there = [sample.to(device) for sample in samples]
    return fit(net.to(device), there, loss, schedule, seed=seed, device=device)


def overlap_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """Cross-entropy plus Dice (Milletari et al. 2016, arXiv:1606.04797): smooth, and blind to class balance."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, masks)
    chance = logits.sigmoid()
    dice = 2 * (chance * masks).sum() / (chance.sum() + masks.sum() + 1)
    return entropy + 1 - dice


def normalise(images: Tensor) -> Tensor:
    """B×3×H×W in 0..1 → ImageNet's mean 0 and deviation 1."""
    mean, std = (torch.tensor(values, device=images.device)[:, None, None] for values in (MEAN, STD))
    return (images - mean) / std


def predict_mask(net: nn.Module, image: Tensor, size: tuple[int, int], *, device: str = "cpu") -> Tensor:
    """Chance of "thing" for every pixel: 3×H×W uint8 → H×W float32. The net sees the picture stretched to ``size``."""
    resize = torch.nn.functional.interpolate
    with torch.inference_mode():
        seen = resize(image[None].to(device) / 255, size, mode="bilinear", antialias=True)
        chance: Tensor = resize(net(normalise(seen)), image.shape[-2:], mode="bilinear")[0, 0].sigmoid()
    return chance.cpu()


def score_segmenter(
    net: nn.Module, samples: Sequence[Sample], size: tuple[int, int], *, device: str = "cpu"
) -> PixelScores:
    """IoU and F1 at a threshold of 0.5 on whole pictures at their own size."""
    net.to(device).eval()
    chances = [predict_mask(net, sample.image, size, device=device) for sample in samples]
    return pixel_scores([chance > 0.5 for chance in chances], [s.mask > 0 for s in samples if s.mask is not None])
