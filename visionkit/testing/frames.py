"""Synthetic pictures for tests: small, seeded, and with the truth about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from visionkit.data import Canvas, Image
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Scene(NamedTuple):
    """A picture of moving discs and where they are: ``boxes`` (N, 4) float32 xyxy, disc i always in row i."""

    image: Image
    boxes: NDArray[np.float32]


def plain(width: int = 96, height: int = 64, level: int = 0, gray: bool = False) -> Image:
    """One level everywhere."""
    return Image(np.full((height, width) if gray else (height, width, 3), level, np.uint8), "gray" if gray else "bgr")


def noise(width: int = 96, height: int = 64, seed: int = 0, gray: bool = False) -> Image:
    """Independent levels from 0 to 255."""
    shape = (height, width) if gray else (height, width, 3)
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Image(pixels, "gray" if gray else "bgr")


def shapes(width: int = 96, height: int = 64, seed: int = 0, gray: bool = False) -> Image:
    """Rectangles, discs and triangles of random colours on a slope of brightness, with a little noise."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(40, 120, width)[None, :] + np.linspace(0, 40, height)[:, None]
    pixels = np.repeat(slope[..., None], 3, axis=2).astype(np.uint8)
    for kind in (0, 1, 2, 0, 1, 2):
        x, y = (int(v) for v in rng.uniform(0, 1, 2) * (width, height))
        size = max(1, int(rng.uniform(0.08, 0.25) * min(width, height)))
        color = [int(v) for v in rng.integers(0, 256, 3)]
        if kind == 0:
            cv2.rectangle(pixels, (x - size, y - size), (x + size, y + size // 2), color, -1)
        elif kind == 1:
            cv2.circle(pixels, (x, y), size, color, -1, cv2.LINE_AA)
        else:
            corners = np.array([[x, y - size], [x + size, y + size], [x - size, y + size]], np.int32)
            cv2.fillPoly(pixels, [corners], color, cv2.LINE_AA)
    noisy = np.clip(pixels + rng.normal(0, 3, pixels.shape), 0, 255).astype(np.uint8)
    return Image(np.ascontiguousarray(noisy[..., 1]), "gray") if gray else Image(noisy)


def moving_discs(frames: int = 8, width: int = 96, height: int = 64, discs: int = 2, seed: int = 0) -> list[Scene]:
    """A video of discs of one colour each that fly straight and bounce off the edges, on a dark ground."""
    rng = np.random.default_rng(seed)
    radius = max(2.0, min(width, height) / 8)
    place = rng.uniform(radius, np.array([width, height]) - radius, (discs, 2))
    speed = rng.uniform(-4, 4, (discs, 2))
    colors = rng.integers(120, 256, (discs, 3))
    scenes = []
    for _ in range(frames):
        scenes.append(_scene(width, height, place, radius, colors))
        outside = (place + speed < radius) | (place + speed > np.array([width, height]) - radius)
        speed = np.where(outside, -speed, speed)
        place = place + speed
    return scenes


def _scene(width: int, height: int, place: NDArray[np.float64], radius: float, colors: NDArray[np.int64]) -> Scene:
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    pixels = np.full((height, width, 3), 24.0)
    for (x, y), color in zip(place, colors, strict=True):
        cover = np.clip(radius + 0.5 - np.hypot(xs - x, ys - y), 0, 1)[..., None]
        pixels = pixels * (1 - cover) + color * cover
    boxes = np.concatenate([place - radius, place + radius], axis=1).astype(np.float32)
    return Scene(Image(np.rint(pixels).astype(np.uint8)), boxes)


def written(text: str, height: int = 48, margin: int = 12) -> Image:
    """Black letters (ASCII) on white, ``height`` pixels high with their margins."""
    scale = (height - 2 * margin) / 22
    (width, _), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    pixels = np.full((height, width + 2 * margin, 3), 255, np.uint8)
    at = margin, height - margin - base // 4
    cv2.putText(pixels, text, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 2, cv2.LINE_AA)
    return Image(pixels)


def odd() -> dict[str, Image]:
    """What breaks stages: odd sizes, one pixel, grey, other channel orders, a picture that is part of a frame."""
    picture = shapes(96, 64, seed=1)
    return {
        "odd sides": shapes(53, 37),
        "grey": shapes(53, 37, gray=True),
        "one pixel": noise(1, 1),
        "one grey pixel": noise(1, 1, gray=True),
        "one row": noise(31, 1),
        "one column": noise(1, 31, gray=True),
        "black": plain(64, 48),
        "white": plain(64, 48, 255),
        "RGB": Image(picture.rgb(), "rgb"),
        "I420": Image(np.asarray(cv2.cvtColor(picture.bgr(), cv2.COLOR_BGR2YUV_I420)), "i420"),
        "a window of a frame": picture.crop(5, 4, 53, 37),
        "a frame made smaller": shapes(53, 37).replaced(shapes(53, 37).bgr(), Canvas.source(106, 74).resize(53, 37)),
    }
