"""From a picture to what a network takes: resize, letterbox, centre crop. Depends on the picture alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
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


def fit(image: Image, spec: Preprocessing, margin: int = 0) -> Fitted:
    """The picture as a network with ``spec`` takes it; for ``margin`` see :func:`input_size`."""
    pixels = _ordered(image, spec)
    width, height = image.width, image.height
    wide, high = input_size(width, height, spec, margin if spec.fit == "letterbox" else 0)
    if spec.fit == "center-crop":
        return _cropped(pixels, wide, high, spec)
    if spec.fit == "letterbox":
        return _letterboxed(pixels, wide, high, spec)
    return Fitted(resized(pixels, wide, high, spec), (width / wide, height / high), (0.0, 0.0), (wide, high))


def fit_batch(
    images: Sequence[Image], spec: Preprocessing, margin: int = 0
) -> list[tuple[list[int], list[Fitted], Pixels]]:
    """All pictures made ready, in groups that share an input size: their places, themselves, the batch (N, H, W, C)."""
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


def _letterboxed(pixels: Pixels, full_width: int, full_height: int, spec: Preprocessing) -> Fitted:
    height, width = pixels.shape[:2]
    wide, high = _inner_size(width, height, spec)
    small = resized(pixels, wide, high, spec)
    left, top = (full_width - wide) // 2, (full_height - high) // 2
    bars = (top, full_height - high - top, left, full_width - wide - left)
    if any(bars):
        small = cv2.copyMakeBorder(small, *bars, cv2.BORDER_CONSTANT, value=(spec.pad_value,) * 3)
        small = small.reshape(full_height, full_width, -1)
    return Fitted(small, (width / wide, height / high), (float(left), float(top)), (wide, high))


def _cropped(pixels: Pixels, wide: int, high: int, spec: Preprocessing) -> Fitted:
    """As torchvision rounds it: the longer side down to whole pixels, the corner of the crop to the nearest."""
    height, width = pixels.shape[:2]
    inner = _short_side(width, height, max(spec.resize or 0, wide, high))
    small = resized(pixels, *inner, spec)
    left, top = round((inner[0] - wide) / 2.0), round((inner[1] - high) / 2.0)
    cut = np.ascontiguousarray(small[top : top + high, left : left + wide])
    return Fitted(cut, (width / inner[0], height / inner[1]), (-float(left), -float(top)), (wide, high))


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
