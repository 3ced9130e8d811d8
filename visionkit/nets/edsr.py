"""EDSR's body at half resolution: takes noise, blur or JPEG's blocks out of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn


def edsr_half(blocks: int = 8, width: int = 64) -> nn.Module:
    """Residual blocks between pixel unshuffle and shuffle (Lim et al., EDSR, CVPR Workshops 2017, arXiv:1707.02921).

    In: B×3×H×W float32 RGB, 0..1, both sides even. Out: the same. It looks ``2 * (2 * blocks + 3)`` pixels around.
    """
    functional = torch.nn.functional

    class Edsr(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.sub_mean, self.add_mean = torch.nn.Conv2d(3, 3, 1), torch.nn.Conv2d(3, 3, 1)
            self.head = torch.nn.Sequential(_conv(12, width))
            self.body = torch.nn.Sequential(*(_block(width) for _ in range(blocks)), _conv(width, width))
            self.tail = torch.nn.Sequential(_conv(width, 12))

        def forward(self, pictures: Tensor) -> Tensor:
            seen = self.head(functional.pixel_unshuffle(self.sub_mean(pictures), 2))
            made: Tensor = self.add_mean(functional.pixel_shuffle(self.tail(seen + self.body(seen)), 2))
            return made.clamp(0, 1)

    return Edsr()


def _conv(before: int, after: int) -> nn.Conv2d:
    return torch.nn.Conv2d(before, after, 3, padding=1)


def _block(width: int) -> nn.Module:
    class Block(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = torch.nn.Sequential(_conv(width, width), torch.nn.ReLU(inplace=True), _conv(width, width))

        def forward(self, seen: Tensor) -> Tensor:
            added: Tensor = seen + self.body(seen)
            return added

    return Block()
