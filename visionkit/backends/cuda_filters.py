"""Filters on the device, on planes (C, H, W) uint8: what OpenCV makes of them, within :data:`TOLERANCE`.

Sums of whole numbers are exact in floats, so gradients are OpenCV's; where weights are fractions or a root is taken, a
level may round the other way. Beyond the edge pictures are mirrored as OpenCV does it, also tiny ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from visionkit.backends.cuda_fit import rounded
from visionkit.lazy import cv2, np, torch

TOLERANCE = 1
"""Levels (0..255) that a pixel may be away from what OpenCV makes."""
_TAN = 13573
"""The tangent of 22.5° with 15 bits behind the point, as OpenCV's Canny has it."""
_STEPS = 16
"""Of an edge's growth between two looks whether it goes on: each look waits for the GPU."""


def by_table(planes: Any, levels: Any) -> Any:
    """Every level its new one: ``levels`` (256,) uint8, an array."""
    return torch.from_numpy(levels).to(planes.device)[planes.long()]


def gaussian(planes: Any, size: int, sigma: float) -> Any:
    """Gaussian blur; size or sigma 0: taken from the other, as OpenCV does."""
    size = size or round(sigma * 6 + 1) | 1
    kernel = cv2.getGaussianKernel(size, sigma, cv2.CV_32F).ravel().tolist()
    return rounded(_separable(planes.float(), kernel, kernel))


def box(planes: Any, size: int) -> Any:
    """The mean of a square window, by running sums: its cost does not grow with the size."""
    before, after = size // 2, size - 1 - size // 2
    sums = planes.int()
    for axis in (1, 2):
        sums = _mirrored(sums, axis, before + 1, after).cumsum(axis, dtype=torch.int32)
        count = sums.shape[axis] - size
        sums = sums.narrow(axis, size, count) - sums.narrow(axis, 0, count)
    return rounded(sums.double().div_(size**2))


def gradient(planes: Any, kernels: Sequence[tuple[Any, Any]], gain: float) -> Any:
    """``gain`` times the length of one or two derivatives of grey planes, each from its kernels along x and y."""
    found = [_separable(planes.float(), along, down) for along, down in kernels]
    size = found[0].abs() if len(found) == 1 else (found[0] ** 2 + found[1] ** 2).sqrt()
    return _rounded(size * gain)


def laplacian(planes: Any, size: int, gain: float) -> Any:
    """``gain`` times the absolute sum of both second derivatives of grey planes."""
    second, plain = kernels(2, 0, size)
    levels = planes.float()
    return _rounded((_separable(levels, second, plain) + _separable(levels, plain, second)).abs() * gain)


def kernels(dx: int, dy: int, size: int) -> tuple[list[float], list[float]]:
    """OpenCV's derivative kernels along x and y; size -1 is Scharr's."""
    along, down = cv2.getDerivKernels(dx, dy, size, ktype=cv2.CV_32F)
    return along.ravel().tolist(), down.ravel().tolist()


def thresholded(planes: Any, level: int, invert: bool) -> Any:
    """White where grey planes are above a level, or, inverted, where they are not."""
    return ((planes > level) ^ invert).to(torch.uint8) * 255


def canny(planes: Any, low: float, high: float, size: int, l2: bool) -> Any:
    """OpenCV's Canny of grey planes (1, H, W), in its whole numbers; Sobel kernels of 3 or 5."""
    levels = _repeated(planes.float(), size // 2)
    pairs = kernels(1, 0, size), kernels(0, 1, size)
    dx, dy = (_slid(_slid(levels, 2, along), 1, down).int() for along, down in pairs)
    if l2:
        low, high = (min(32767.0, value) ** 2 for value in (low, high))
    strength = dx * dx + dy * dy if l2 else dx.abs() + dy.abs()
    ridge = (strength > int(low)) & _is_ridge(dx, dy, strength)
    return _grown((ridge & (strength > int(high))), ridge).to(torch.uint8) * 255


def _is_ridge(dx: Any, dy: Any, strength: Any) -> Any:
    """Where the gradient is stronger than on both sides, across the edge."""
    around = torch.nn.functional.pad(strength, (1, 1, 1, 1))
    height, width = strength.shape[1:]

    def at(right: int, below: int) -> Any:
        return around[:, 1 + below : 1 + below + height, 1 + right : 1 + right + width]

    flat, steep = dx.abs(), dy.abs() << 15
    across = steep < flat * _TAN
    down = steep > flat * _TAN + (flat << 16)
    rising = (dx ^ dy) < 0
    along_x = (strength > at(-1, 0)) & (strength >= at(1, 0))
    along_y = (strength > at(0, -1)) & (strength >= at(0, 1))
    falling_way = (strength > at(-1, -1)) & (strength > at(1, 1))
    rising_way = (strength > at(1, -1)) & (strength > at(-1, 1))
    slanted = torch.where(rising, rising_way, falling_way)
    return torch.where(across, along_x, torch.where(down, along_y, slanted))


def _grown(edges: Any, ridge: Any) -> Any:
    """The parts of ``ridge`` that hang together with ``edges``, corner to corner too."""
    grow, allowed = torch.nn.functional.max_pool2d, ridge.float()
    found = edges.float()
    while True:
        before = found
        for _ in range(_STEPS):
            found = grow(found, 3, stride=1, padding=1) * allowed
        if torch.equal(found, before):
            return found.bool()


def histogram(planes: Any) -> Any:
    """How often each level comes in grey planes: (256,) int64, an array."""
    return torch.bincount(planes.flatten(), minlength=256).cpu().numpy()


def _separable(levels: Any, along: Sequence[float], down: Sequence[float]) -> Any:
    for axis, kernel in ((2, along), (1, down)):
        side = len(kernel) // 2
        levels = _slid(_mirrored(levels, axis, side, side), axis, kernel)
    return levels


def _slid(levels: Any, axis: int, kernel: Sequence[float]) -> Any:
    """A kernel slid along an axis of levels that have their borders."""
    count = levels.shape[axis] - len(kernel) + 1
    total = levels.narrow(axis, 0, count) * kernel[0]
    for place, weight in enumerate(kernel[1:], 1):
        if weight:
            total = total.add_(levels.narrow(axis, place, count), alpha=weight)
    return total


def _mirrored(levels: Any, axis: int, before: int, after: int) -> Any:
    return levels.index_select(axis, _mirror(levels.shape[axis], before, after, levels.device))


@lru_cache(64)
def _mirror(size: int, before: int, after: int, device: Any) -> Any:
    """Places 0..size - 1 with what lies beyond, mirrored about the last pixel."""
    return torch.from_numpy(np.pad(np.arange(size), (before, after), mode="reflect")).to(device)


def _repeated(levels: Any, side: int) -> Any:
    return torch.nn.functional.pad(levels[None], (side,) * 4, mode="replicate")[0] if side else levels


def _rounded(levels: Any) -> Any:
    """To the nearest level, halves to the even one, as OpenCV rounds floats."""
    return levels.round_().clamp_(0, 255).to(torch.uint8)
