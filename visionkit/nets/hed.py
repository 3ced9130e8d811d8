"""HED: contours as people draw them, at five scales and fused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from visionkit.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""VGG16's blocks: channels, and how many convolutions."""


def hed() -> nn.Module:
    """Holistically-Nested Edge Detection (Xie and Tu, ICCV 2015, arXiv:1504.06375), 14.7 million parameters.

    In: B×3×H×W float32, blue first, 0..255 less the mean; any size. Out: B×1×H×W, the chance of a contour.
    """
    functional = torch.nn.functional

    class Hed(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            before = [3, *(channels for channels, _ in BLOCKS)]
            self.blocks = torch.nn.ModuleList(
                _block(before[level], *BLOCKS[level], halved=level > 0) for level in range(len(BLOCKS))
            )
            self.sides = torch.nn.ModuleList(torch.nn.Conv2d(channels, 1, 1) for channels, _ in BLOCKS)
            self.fuse = torch.nn.Conv2d(len(BLOCKS), 1, 1)

        def forward(self, pictures: Tensor) -> Tensor:
            seen, found = pictures, []
            for block, side in zip(self.blocks, self.sides, strict=True):
                seen = block(seen)
                found.append(functional.interpolate(side(seen), pictures.shape[-2:], mode="bilinear"))
            fused: Tensor = self.fuse(torch.cat(found, dim=1))
            return fused.sigmoid()

    return Hed()


def _block(before: int, channels: int, count: int, *, halved: bool) -> nn.Sequential:
    layers: list[Any] = [torch.nn.MaxPool2d(2, 2, ceil_mode=True)] if halved else []
    for number in range(count):
        layers += [torch.nn.Conv2d(channels if number else before, channels, 3, padding=1), torch.nn.ReLU(inplace=True)]
    return torch.nn.Sequential(*layers)
