"""Random views of a sample: one affine map a view, sampled once, on whatever device the picture lies.

Flip, quarter turn, zoom, stretch and shift are all one 3×3 matrix, so a picture is interpolated once, its boxes
go through the same matrix, and its mask is sampled at the same points.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from visionkit.frozen import Frozen
from visionkit.lazy import torch
from visionkit.train.samples import Sample

if TYPE_CHECKING:
    from torch import Generator, Tensor


GREY = 0.45  # about the mean of ImageNet's pixels


class Augmentation(Frozen):
    """How a training view may differ from its sample.

    Attributes:
        size: height and width of the view.
        stretch: fit the picture to the view by stretching it, as SSD does, rather than keeping its shape.
        zoom: range of the scale, log-uniform; 1 fits the whole picture into the view.
        aspect: width to height changes by a factor of at most 1 ± this.
        quarter_turns: no up or down in these pictures (cells, tissue): turn and flip all ways.
        colour: brightness, contrast and saturation change by at most this fraction.
        mirror: beyond the edge lies the mirrored picture, not grey (masks only: mirrored things would have no box).
        bend: strength of a smooth elastic distortion in pixels of the picture (masks only: boxes cannot follow).
        visible: a box survives if at least this fraction of it is in the view.
    """

    size: tuple[int, int]
    stretch: bool = False
    zoom: tuple[float, float] = (0.8, 1.25)
    aspect: float = 0.1
    quarter_turns: bool = False
    colour: float = 0.3
    mirror: bool = False
    bend: float = 0.0
    visible: float = 0.3


def random_view(
    sample: Sample, recipe: Augmentation, random: Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """One augmented view: image 3×h×w float32 in 0..1, boxes M×4, labels M, mask h×w float32 or None.

    ``random`` is a CPU generator: the same seed gives the same views on every device.
    """
    height, width = sample.image.shape[-2:]
    matrix = random_map(height, width, recipe, random)
    grid = sampling_grid(matrix, (height, width), recipe.size, sample.image.device)
    if recipe.bend:
        grid = grid + elastic_field(recipe, max(height, width), random).to(grid.device)
    image = look_up(sample.image / 255, grid, mirror=recipe.mirror)
    boxes, kept = map_boxes(sample.boxes, matrix, recipe)
    mask = None
    if sample.mask is not None:
        mask = look_up(sample.mask[None].to(torch.float32), grid, mirror=recipe.mirror, fill=0)[0].round()
    return jitter(image, recipe.colour, random), boxes, sample.labels[kept], mask


def random_map(height: int, width: int, recipe: Augmentation, random: Generator) -> Tensor:
    """A 3×3 float64 matrix from pixels of the picture to pixels of the view."""

    def uniform(low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand((), generator=random))

    def coin() -> bool:
        return uniform(0, 1) < 0.5

    turned = recipe.quarter_turns and coin()
    flip_y = recipe.quarter_turns and coin()
    across, down = (height, width) if turned else (width, height)
    fit_x, fit_y = recipe.size[1] / across, recipe.size[0] / down
    if not recipe.stretch:
        fit_x = fit_y = min(fit_x, fit_y)
    zoom = math.exp(uniform(math.log(recipe.zoom[0]), math.log(recipe.zoom[1])))
    shape = math.sqrt(1 + uniform(-recipe.aspect, recipe.aspect))
    scale_x, scale_y = fit_x * zoom * shape, fit_y * zoom / shape
    # Whatever overlaps, of the picture beyond the view or the view beyond the picture, is the room to shift in.
    room_x, room_y = abs(recipe.size[1] - across * scale_x) / 2, abs(recipe.size[0] - down * scale_y) / 2
    to_centre = _affine(1, 0, -width / 2, 0, 1, -height / 2)
    turn = _affine(0, 1, 0, 1, 0, 0) if turned else _affine(1, 0, 0, 0, 1, 0)
    scale = _affine(-scale_x if coin() else scale_x, 0, 0, 0, -scale_y if flip_y else scale_y, 0)
    shift_x, shift_y = uniform(-room_x, room_x), uniform(-room_y, room_y)
    from_centre = _affine(1, 0, recipe.size[1] / 2 + shift_x, 0, 1, recipe.size[0] / 2 + shift_y)
    return from_centre @ scale @ turn @ to_centre


def _affine(a: float, b: float, c: float, d: float, e: float, f: float) -> Tensor:
    return torch.tensor([[a, b, c], [d, e, f], [0, 0, 1]], dtype=torch.float64)


def sampling_grid(matrix: Tensor, source: tuple[int, int], view: tuple[int, int], device: torch.device) -> Tensor:
    """h×w×2 float32: for every pixel of the view, where to look in the picture, in grid_sample's -1..1."""

    def unit_to_pixels(height: int, width: int) -> Tensor:
        return _affine(width / 2, 0, width / 2, 0, height / 2, height / 2)

    found = torch.linalg.inv(unit_to_pixels(*source)) @ torch.linalg.inv(matrix) @ unit_to_pixels(*view)
    theta = found[None, :2].to(device, torch.float32)
    grid: Tensor = torch.nn.functional.affine_grid(theta, [1, 1, *view], align_corners=False)[0]
    return grid


def elastic_field(recipe: Augmentation, side: int, random: Generator) -> Tensor:
    """h×w×2: random vectors on a coarse grid, smoothly interpolated, as in the U-Net paper (section 3.1).

    In grid_sample's units for a picture whose longer side is ``side`` pixels.
    """
    coarse = torch.randn((1, 2, 5, 5), generator=random)
    field = torch.nn.functional.interpolate(coarse, recipe.size, mode="bicubic", align_corners=True)
    return field[0].permute(1, 2, 0) * recipe.bend * 2 / side


def look_up(values: Tensor, grid: Tensor, *, mirror: bool, fill: float = GREY) -> Tensor:
    """Bilinear look-up in C×H×W float32; beyond the edge lies the picture's mirror image or ``fill``."""
    edge = "reflection" if mirror else "zeros"
    found = torch.nn.functional.grid_sample(values[None] - fill, grid[None], padding_mode=edge, align_corners=False)
    return found[0] + fill


def map_boxes(boxes: Tensor, matrix: Tensor, recipe: Augmentation) -> tuple[Tensor, Tensor]:
    """The boxes in the view, clipped to it, and which of them are still visible enough to be asked for."""
    corners = boxes.reshape(-1, 2, 2).to(torch.float64) @ matrix[:2, :2].T.to(boxes.device)
    corners = corners + matrix[:2, 2].to(boxes.device)
    whole = torch.cat([corners.amin(1), corners.amax(1)], dim=1)
    height, width = recipe.size
    limits = torch.tensor([width, height, width, height], dtype=torch.float64, device=boxes.device)
    clipped = whole.clamp(min=0).minimum(limits)
    kept = (_area(clipped) > recipe.visible * _area(whole)) & ((clipped[:, 2:] - clipped[:, :2]).amin(1) >= 2)
    return clipped[kept].to(torch.float32), kept


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def jitter(image: Tensor, strength: float, random: Generator) -> Tensor:
    """Brightness, contrast and saturation of a 3×h×w picture in 0..1."""
    brightness, contrast, saturation = (1 + strength * (2 * torch.rand(3, generator=random) - 1)).tolist()
    image = image * brightness
    image = (image - image.mean()) * contrast + image.mean()
    grey = image.mean(0, keepdim=True)
    return (grey + saturation * (image - grey)).clamp(0, 1)
