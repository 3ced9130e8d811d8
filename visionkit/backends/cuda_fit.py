"""From pictures to what a network takes, on the device: what :mod:`visionkit.backends.preprocess` does with OpenCV.

Linear and nearest give OpenCV's very levels: a level here and there would move scores by half a hundredth. All else is
away from OpenCV's or Pillow's by :data:`TOLERANCE` at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from visionkit.backends.preprocess import Fitted, Placement, placement
from visionkit.data import Image
from visionkit.data.planes import converted
from visionkit.lazy import np, torch

if TYPE_CHECKING:
    from visionkit.weights.entry import Preprocessing

TOLERANCE = 1
"""Levels (0..255) that a resized pixel may be away from what OpenCV, or Pillow where a network wants that, makes."""
_MODES = {"linear": "bilinear", "cubic": "bicubic"}
_BITS = 11
"""Of OpenCV's weights in a linear resize."""


def fit_batch(
    images: Sequence[Image], spec: Preprocessing, margin: int, device: str
) -> list[tuple[list[int], list[Fitted], Any]]:
    """All pictures made ready on ``device``, in groups that share an input size.

    Pictures of one size and order are converted and resized together: a dozen kernels for all of them.

    Returns:
        For each group the pictures' places, themselves, and the batch (N, C, H, W) uint8.
    """
    groups: dict[tuple[int, int], dict[tuple[int, int, str], list[int]]] = {}
    plans = [placement(image.width, image.height, spec, margin) for image in images]
    for place, (image, plan) in enumerate(zip(images, plans, strict=True)):
        alike = groups.setdefault(plan.full, {})
        alike.setdefault((image.width, image.height, image.order), []).append(place)
    found = []
    for alike in groups.values():
        batch = torch.cat([_ready([images[i] for i in row], plans[row[0]], spec, device) for row in alike.values()])
        places = [place for row in alike.values() for place in row]
        pixels = batch.permute(0, 2, 3, 1)
        found.append((places, [plans[i].fitted(pixels[n]) for n, i in enumerate(places)], batch))
    return found


def _ready(images: Sequence[Image], plan: Placement, spec: Preprocessing, device: str) -> Any:
    """Pictures of one size and order as a part of a batch."""
    planes = torch.stack([image.raw(device)[0] for image in images])
    planes = converted(planes, images[0].order, spec.color)
    return laid_out(resized(planes, *plan.inner, spec.interpolation, spec.antialias), plan, spec.pad_value)


def normalised(batch: Any, spec: Preprocessing, dtype: Any) -> Any:
    """A batch (N, C, H, W) uint8 → the network's layout, ``(x * scale - mean) / std``, contiguous."""
    mean, std = (torch.tensor(values, device=batch.device)[:, None, None] for values in (spec.mean, spec.std))
    levels = batch.float() * (spec.scale / std) - mean / std
    return (levels.permute(0, 2, 3, 1) if spec.layout == "nhwc" else levels).to(dtype).contiguous()


def laid_out(planes: Any, plan: Placement, pad_value: int) -> Any:
    """Planes (N, C, h, w) in the network's input (N, C, H, W): with bars around them, or cut."""
    wide, high = plan.full
    left, top = plan.corner
    if plan.cuts:
        return planes[..., -top : high - top, -left : wide - left]
    bars = (left, wide - left - planes.shape[-1], top, high - top - planes.shape[-2])
    return torch.nn.functional.pad(planes, bars, value=pad_value) if any(bars) else planes


def resized(planes: Any, width: int, height: int, how: str, antialias: bool = False) -> Any:
    """Planes (N, C, H, W) uint8 scaled; ``how``: "linear", "cubic", "area" (to shrink) or "nearest"."""
    if tuple(planes.shape[-2:]) == (height, width):
        return planes
    if how == "area":
        return _averaged(planes, width, height)
    if how == "nearest":
        sides = zip(planes.shape[-2:], (height, width), strict=True)
        rows, columns = (_nearest(size, new, planes.device) for size, new in sides)
        return planes[..., rows[:, None], columns]
    if how == "linear" and not antialias:
        return _linear(planes, width, height)
    sizes = [(planes.shape[-2], width), (height, width)] if antialias else [(height, width)]  # Pillow rounds in between
    for size in sizes:
        levels = torch.nn.functional.interpolate(planes.float(), size=size, mode=_MODES[how], antialias=antialias)
        planes = rounded(levels)
    return planes


def _linear(planes: Any, width: int, height: int) -> Any:
    """In OpenCV's whole numbers: along the rows, four bits dropped, down the columns, each product cut to 16 bits."""
    if planes.shape[-2:] == (2 * height, 2 * width):  # OpenCV averages
        sums = planes.unflatten(-1, (width, 2)).unflatten(-3, (height, 2)).sum((-3, -1), dtype=torch.int32)
        return sums.add_(2).bitwise_right_shift_(2).to(torch.uint8)
    left, right, near, far = taps(planes.shape[-1], width, True, planes.device)
    rows = (planes[..., left].int() * near + planes[..., right].int() * far).bitwise_right_shift_(4)
    upper, lower, near, far = taps(planes.shape[-2], height, False, planes.device)
    levels = (rows[..., upper, :] * near[:, None]).bitwise_right_shift_(16)
    levels += (rows[..., lower, :] * far[:, None]).bitwise_right_shift_(16)
    return levels.add_(2).bitwise_right_shift_(2).clamp_(0, 255).to(torch.uint8)


@lru_cache(64)
def taps(size: int, new: int, along: bool, device: Any) -> tuple[Any, Any, Any, Any]:
    """For every new pixel the two old ones it lies between (new,) and their weights: those of OpenCV's linear resize.

    ``along`` a row the weight beyond the edge is nothing, down a column the edge itself has it.
    """
    at = ((np.arange(new) + 0.5) * (1 / (new / size)) - 0.5).astype(np.float32)
    first = np.floor(at).astype(np.int64)
    far = at - first.astype(np.float32)
    if along:
        far[(first < 0) | (first >= size - 1)] = 0
    weights = [np.rint(share * np.float32(1 << _BITS)).astype(np.int32) for share in (np.float32(1) - far, far)]
    places = [np.clip(first, 0, size - 1), np.clip(first + 1, 0, size - 1)]
    upper, lower, near, far_ = (torch.from_numpy(part).to(device) for part in (*places, *weights))
    return upper, lower, near, far_


def rounded(levels: Any) -> Any:
    """Levels, which may be changed, to the nearest whole one, 0..255."""
    return levels.add_(0.5).clamp_(0, 255).to(torch.uint8)


def _averaged(planes: Any, width: int, height: int) -> Any:
    """Every pixel the mean of the area that it covers, along one side and then along the other."""
    rows, columns = (_shares(*pair, planes.device) for pair in zip(planes.shape[-2:], (height, width), strict=True))
    return rounded(rows @ planes.float() @ columns.T)


@lru_cache(64)
def _nearest(size: int, new: int, device: Any) -> Any:
    """(new,): the old pixel that OpenCV takes for each new one, under its corner."""
    places = np.floor(np.arange(new) * (1 / (new / size))).astype(np.int64)
    return torch.from_numpy(np.minimum(places, size - 1)).to(device)


@lru_cache(64)
def _shares(size: int, new: int, device: Any) -> Any:
    """(new, size): how much of each old pixel goes into each new one; rows sum to 1."""
    edges = np.arange(new + 1) * (size / new)
    low, high = edges[:-1, None], edges[1:, None]
    pixels = np.arange(size)
    shares = np.clip(np.minimum(high, pixels + 1) - np.maximum(low, pixels), 0, None) * (new / size)
    return torch.from_numpy(shares.astype(np.float32)).to(device)
