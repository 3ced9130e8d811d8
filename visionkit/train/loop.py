"""The training loop: thirty lines of plain torch that every recipe shares."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from visionkit.frozen import Frozen
from visionkit.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

log = logging.getLogger(__name__)
Item = TypeVar("Item")
REPORT_EVERY = 50


class Schedule(Frozen):
    """How long and how fast to learn.

    Attributes:
        steps: optimiser steps.
        batch: samples a step.
        rate: the peak of the learning rate; it rises over the first tenth and falls to nothing as a cosine.
        decay: AdamW's weight decay (Loshchilov & Hutter 2019, arXiv:1711.05101).
    """

    steps: int
    batch: int
    rate: float = 1e-3
    decay: float = 0.05


def fit(
    net: nn.Module,
    items: Sequence[Item],
    loss: Callable[[list[Item]], Tensor],
    schedule: Schedule,
    *,
    seed: int,
    device: str = "cpu",
) -> list[float]:
    """Train ``net`` in place; returns the mean loss of every 50 steps.

    Args:
        net: already on ``device``.
        items: what a batch is drawn from.
        loss: runs the net on a batch and returns a scalar; it runs under bfloat16 autocast on CUDA.
        schedule: length and speed.
        seed: of the order of the items.
        device: "cpu" or "cuda".
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    warm_up = torch.optim.lr_scheduler.OneCycleLR(optimiser, schedule.rate, schedule.steps, pct_start=0.1)
    net.train().to(memory_format=torch.channels_last)  # half again as fast on a CPU
    history: list[float] = []
    running = torch.zeros((), device=device)
    batches = shuffled_batches(items, schedule.batch, seed)
    for step in range(1, schedule.steps + 1):
        with torch.autocast("cuda", torch.bfloat16, enabled=device.startswith("cuda")):
            value = loss(next(batches))
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(value)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        warm_up.step()
        running += value.detach()
        if step % REPORT_EVERY == 0 or step == schedule.steps:
            history.append(float(running) / ((step - 1) % REPORT_EVERY + 1))
            log.info("step %d of %d: loss %.4f", step, schedule.steps, history[-1])
            running.zero_()
    net.eval()
    return history


def shuffled_batches(items: Sequence[Item], batch: int, seed: int) -> Iterator[list[Item]]:
    """Batches without end; every item comes once before any comes twice."""
    random = torch.Generator().manual_seed(seed)
    waiting: list[int] = []
    while True:
        while len(waiting) < batch:
            waiting += torch.randperm(len(items), generator=random).tolist()
        yield [items[index] for index in waiting[:batch]]
        waiting = waiting[batch:]
