"""Cut-outs: their pixels at several sizes, their outline, and a licence plate where they carry one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from samples.studio.geometry import Floats, apply, pixels

STUDIO = Path(__file__).resolve().parent
PLATE_SIZE = (260, 64)
"""Width and height in pixels of a plate before it is put on a car."""


@dataclass(frozen=True)
class Look:
    """How a cut-out is used.

    Args:
        file: name in ``cutouts/`` without suffix.
        label: COCO class name.
        metres: width of the whole cut-out.
        feet: where it touches the ground, as fractions of width and height.
        plate: the plate's corners (top left, top right, bottom right, bottom left) as fractions, or None.
        tilt: slope of its shadow in degrees.
        mirror: whether left and right change places; ``feet`` and ``plate`` are those of the mirrored picture.
        hue: how far its colours are turned around the colour circle, 0 to 1.
    """

    file: str
    label: str
    metres: float
    feet: tuple[float, float] = (0.5, 0.98)
    plate: tuple[tuple[float, float], ...] | None = None
    tilt: float = 0.0
    mirror: bool = False
    hue: float = 0.0


@dataclass(frozen=True)
class Sprite:
    """A cut-out ready to be drawn.

    Args:
        look: what it was made from.
        levels: the picture at full, half, quarter … size: (H, W, 4) float32, premultiplied BGRA in [0, 1].
        outline: (N, 2) convex hull of what is opaque, in pixels of the full size.
        area: sum of alpha at full size.
        plate_text: what its plate says, "" without one.
        plate: (4, 2) corners of the plate in pixels of the full size, or None.
    """

    look: Look
    levels: tuple[NDArray[np.float32], ...]
    outline: Floats
    area: float
    plate_text: str = ""
    plate: Floats | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the full size."""
        height, width = self.levels[0].shape[:2]
        return width, height

    def feet(self) -> Floats:
        """(2,) where it touches the ground, in pixels of the full size."""
        return np.array(self.look.feet) * self.size

    def level(self, scale: float) -> tuple[NDArray[np.float32], float]:
        """The smallest level that need not be enlarged, and its size as a fraction of the full one.

        Args:
            scale: of the full size in the picture to be drawn.
        """
        index = int(np.clip(np.floor(np.log2(1 / max(scale, 1e-6))), 0, len(self.levels) - 1))
        return self.levels[index], 0.5**index


def load(look: Look, plate: str = "") -> Sprite:
    """Reads a cut-out and paints its plate.

    Args:
        look: which one, and how.
        plate: the text of the plate; needs ``look.plate``.
    """
    stored = picture(STUDIO / "cutouts" / f"{look.file}.png", cv2.IMREAD_UNCHANGED)
    bgra = stored.astype(np.float32) / np.float32(255)
    if look.mirror:
        bgra = bgra[:, ::-1].copy()
    if look.hue:
        hsv = cv2.cvtColor(bgra[..., :3], cv2.COLOR_BGR2HSV)
        hsv[..., 0] = (hsv[..., 0] + 360 * look.hue) % 360
        bgra[..., :3] = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)
    bgra[..., :3] *= bgra[..., 3:]
    corners = None
    if plate and look.plate:
        corners = np.array(look.plate) * (bgra.shape[1], bgra.shape[0])
        bgra = paint(bgra, plate_picture(plate), corners)
    return Sprite(look, pyramid(bgra), outline(bgra[..., 3]), float(bgra[..., 3].sum()), plate, corners)


def picture(path: Path, flags: int = cv2.IMREAD_COLOR) -> NDArray[np.uint8]:
    """A picture of this folder as OpenCV reads it."""
    read: NDArray[np.uint8] | None = cv2.imread(str(path), flags)
    if read is None:
        raise FileNotFoundError(path)
    return read


def pyramid(bgra: NDArray[np.float32], levels: int = 4) -> tuple[NDArray[np.float32], ...]:
    """Halves again and again; padded so that every half is exact and pixel corners keep their places."""
    step = 2 ** (levels - 1)
    height, width = bgra.shape[:2]
    out = [np.pad(bgra, ((0, -height % step), (0, -width % step), (0, 0)))]
    for _ in range(levels - 1):
        h, w = out[-1].shape[:2]
        out.append(out[-1].reshape(h // 2, 2, w // 2, 2, 4).mean((1, 3)))
    return tuple(out)


def outline(alpha: NDArray[np.float32]) -> Floats:
    """(N, 2) convex hull of the pixels that are at least half opaque, through their outer corners."""
    solid = alpha >= 0.5
    rows = np.flatnonzero(solid.any(1))
    left, right = solid[rows].argmax(1), solid.shape[1] - solid[rows, ::-1].argmax(1)
    corners = np.concatenate([np.stack([x, rows + y], 1) for x in (left, right) for y in (0, 1)])
    return cv2.convexHull(corners.astype(np.int32))[:, 0].astype(float)


def paint(bgra: NDArray[np.float32], sticker: NDArray[np.float32], corners: Floats) -> NDArray[np.float32]:
    """Lays ``sticker`` (H, W, 4) onto ``bgra`` so that its corners meet ``corners`` (4, 2); both premultiplied."""
    height, width = sticker.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = pixels(cv2.getPerspectiveTransform(source, corners.astype(np.float32)))
    laid = cv2.warpPerspective(sticker, matrix, bgra.shape[1::-1], flags=cv2.INTER_AREA)
    return laid + bgra * (1 - laid[..., 3:])


def plate_picture(text: str) -> NDArray[np.float32]:
    """(64, 260, 4) a white plate with dark letters."""
    image = Image.new("RGBA", PLATE_SIZE, (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    width, height = PLATE_SIZE
    draw.rounded_rectangle((0, 0, width - 1, height - 1), 8, fill=(250, 250, 246), outline=(25, 25, 30), width=3)
    draw.text(
        (width / 2, height / 2), text, (15, 15, 25), font(54), anchor="mm", stroke_width=2, stroke_fill=(15, 15, 25)
    )
    return premultiplied(image)


def font(size: int) -> Any:
    """The font that comes with Pillow (Aileron, CC0)."""
    return ImageFont.load_default(size)


def premultiplied(image: Image.Image) -> NDArray[np.float32]:
    """(H, W, 4) float32 BGRA of a Pillow picture, premultiplied."""
    rgba = np.asarray(image.convert("RGBA"), np.float32) / 255
    return np.concatenate([rgba[..., 2::-1] * rgba[..., 3:], rgba[..., 3:]], 2)


def box_of(points: Floats, matrix: Floats) -> Floats:
    """(4,) x1, y1, x2, y2 around ``points`` (N, 2) moved by ``matrix`` (3, 3)."""
    moved = apply(matrix, points)
    return np.concatenate([moved.min(0), moved.max(0)])
