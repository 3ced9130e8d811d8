"""From a picture to what a network takes: resize, letterbox, centre crop. Depends on the picture alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.data.device import is_gpu
from visionkit.frozen import Frozen
from visionkit.lazy import cv2, load, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.weights.entry import Preprocessing

    Pixels = NDArray[np.uint8]


class Fitted(Frozen, eq=False):
    """A picture made ready for a network, and the way back.

    Attributes:
        pixels: (H, W, C) uint8, what :meth:`Model.infer` takes a batch of.
        scale: pixels of the picture per pixel of the input: x, y.
        offset: the point of the input where the picture's corner lies: x, y.
        inner: width and height that the picture itself takes of the input; the rest are letterbox bars.
    """

    pixels: Pixels
    scale: tuple[float, float]
    offset: tuple[float, float]
    inner: tuple[int, int]

    def to_image(self, points: NDArray[Any]) -> NDArray[np.float32]:
        """Points (..., 2) or boxes (..., 4) of the network's input → pixels of the picture."""
        points = np.asarray(points, np.float64)
        repeat = points.shape[-1] // 2
        moved = (points - np.tile(self.offset, repeat)) * np.tile(self.scale, repeat)
        return np.asarray(moved, np.float32)


def input_size(width: int, height: int, spec: Preprocessing, margin: int = 0) -> tuple[int, int]:
    """Width and height of the network's input for a picture of ``width`` × ``height``.

    ``margin`` is how many pixels of letterbox bars there must be along each side at least, both ends together; it has
    no effect on networks that take one size alone.
    """
    if spec.fit == "none":
        return width, height
    if spec.fit == "center-crop" or (spec.size and (spec.fit == "stretch" or spec.stride == 1)):
        assert spec.size, "the catalogue gives a size with center-crop"
        return spec.size[1], spec.size[0]
    wide, high = (length + margin for length in _inner_size(width, height, spec))
    return -(-wide // spec.stride) * spec.stride, -(-high // spec.stride) * spec.stride


class Placement(Frozen):
    """Where a picture goes in a network's input.

    Attributes:
        full: width and height of the input.
        inner: what the picture is scaled to; larger than ``full`` where it is cut.
        corner: the point of the input where its corner lies: x, y; negative where it is cut.
        scale: pixels of the picture per pixel of the input: x, y.
    """

    full: tuple[int, int]
    inner: tuple[int, int]
    corner: tuple[int, int]
    scale: tuple[float, float]

    @property
    def cuts(self) -> bool:
        """True if parts of the picture stay outside; otherwise there may be bars around it."""
        return self.inner[0] > self.full[0] or self.inner[1] > self.full[1]

    def fitted(self, pixels: Any) -> Fitted:
        """The finished input, (H, W, C) uint8."""
        inner = self.full if self.cuts else self.inner
        return Fitted(pixels, self.scale, (float(self.corner[0]), float(self.corner[1])), inner)


def placement(width: int, height: int, spec: Preprocessing, margin: int = 0) -> Placement:
    """For a picture of ``width`` × ``height``; for ``margin`` see :func:`input_size`.

    A centre crop is rounded as torchvision does: the longer side down, the corner to the nearest pixel.
    """
    full = inner = input_size(width, height, spec, margin if spec.fit == "letterbox" else 0)
    corner = 0, 0
    if spec.fit == "center-crop":
        inner = _short_side(width, height, max(spec.resize or 0, *full))
        corner = -round((inner[0] - full[0]) / 2.0), -round((inner[1] - full[1]) / 2.0)
    elif spec.fit == "letterbox":
        inner = _inner_size(width, height, spec)
        corner = (full[0] - inner[0]) // 2, (full[1] - inner[1]) // 2
    return Placement(full, inner, corner, (width / inner[0], height / inner[1]))


def fit(image: Image, spec: Preprocessing, margin: int = 0) -> Fitted:
    """The picture as a network with ``spec`` takes it; for ``margin`` see :func:`input_size`."""
    swap = spec.color == "rgb" and image.order != "rgb"  # when they are few
    plan = placement(image.width, image.height, spec, margin)
    small = resized(image.bgr() if swap else _ordered(image, spec), *plan.inner, spec)
    if swap:
        small = cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
    (wide, high), (left, top) = plan.full, plan.corner
    if plan.cuts:
        return plan.fitted(np.ascontiguousarray(small[-top : high - top, -left : wide - left]))
    bars = (top, high - small.shape[0] - top, left, wide - small.shape[1] - left)
    if any(bars):
        small = cv2.copyMakeBorder(small, *bars, cv2.BORDER_CONSTANT, value=(spec.pad_value,) * 3)
    return plan.fitted(small.reshape(high, wide, -1))


def fit_batch(
    images: Sequence[Image], spec: Preprocessing, margin: int = 0, device: str = "cpu"
) -> list[tuple[list[int], list[Fitted], Any]]:
    """All pictures made ready, in groups that share an input size: their places, themselves, the batch (N, H, W, C).

    For a ``device`` that is a GPU this is done there, and the batch is a tensor (N, C, H, W).
    """
    if is_gpu(device):
        from visionkit.backends import cuda_fit

        return cuda_fit.fit_batch(images, spec, margin, device)
    groups: dict[tuple[int, ...], list[int]] = {}
    ready = [fit(image, spec, margin) for image in images]
    for place, one in enumerate(ready):
        groups.setdefault(one.pixels.shape, []).append(place)
    batches = []
    for places in groups.values():
        members = [ready[place] for place in places]
        batches.append((places, members, _stacked([one.pixels for one in members])))
    return batches


def _stacked(pixels: Sequence[Pixels]) -> Pixels:
    """A batch (N, H, W, C). A single picture that is nobody else's need not be copied."""
    alone = len(pixels) == 1 and pixels[0].flags.writeable
    return pixels[0][None] if alone else np.stack(pixels)


def normalised(batch: Pixels, spec: Preprocessing) -> NDArray[np.float32]:
    """A batch (N, H, W, C) uint8 → float32 in the network's layout, ``(x * scale - mean) / std``."""
    count, height, width, channels = batch.shape
    planes = np.empty((count, channels, height, width), np.float32)
    for channel in range(channels):
        factor, std = spec.scale, spec.std[channel]
        np.multiply(batch[..., channel], np.float32(factor / std), out=planes[:, channel])
        if spec.mean[channel]:
            planes[:, channel] -= np.float32(spec.mean[channel] / std)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)) if spec.layout == "nhwc" else planes


def resized(pixels: Pixels, width: int, height: int, spec: Preprocessing) -> Pixels:
    """``pixels`` (H, W, C) scaled to ``width`` × ``height``; the same array where there is nothing to do."""
    if pixels.shape[:2] == (height, width):
        return pixels
    if spec.antialias:  # Pillow, as torchvision does with a PIL image
        pillow = load("PIL.Image")
        kind = pillow.Resampling.BICUBIC if spec.interpolation == "cubic" else pillow.Resampling.BILINEAR
        picture = pillow.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
        return np.asarray(picture.resize((width, height), kind)).reshape(height, width, -1)
    flags = {"nearest": cv2.INTER_NEAREST, "cubic": cv2.INTER_CUBIC, "area": cv2.INTER_AREA}
    kind = flags.get(spec.interpolation, cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=kind)).reshape(height, width, -1)


def _ordered(image: Image, spec: Preprocessing) -> Pixels:
    if spec.color == "gray":
        return image.gray()[..., None]
    return image.rgb() if spec.color == "rgb" else image.bgr()


def _inner_size(width: int, height: int, spec: Preprocessing) -> tuple[int, int]:
    """What the picture itself is scaled to, its shape kept."""
    if spec.size:
        ratio = min(spec.size[1] / width, spec.size[0] / height)
        return max(1, round(width * ratio)), max(1, round(height * ratio))
    return _short_side(width, height, spec.resize) if spec.resize else (width, height)


def _short_side(width: int, height: int, short: int) -> tuple[int, int]:
    if width <= height:
        return short, max(1, int(short * height / width))
    return max(1, int(short * width / height)), short
