"""Colours and sizes that suit any picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from visionkit.data import Detections, Image
from visionkit.lazy import np
from visionkit.stage import Color

if TYPE_CHECKING:
    from numpy.typing import NDArray

BGR = tuple[int, int, int]
ColorBy = Literal["auto", "class", "track"] | Color

PALETTE: tuple[BGR, ...] = (  # blue, green, red; neighbours are far apart, none is too dark or too pale
    (56, 56, 255),
    (49, 210, 72),
    (255, 133, 20),
    (31, 178, 255),
    (236, 24, 132),
    (187, 212, 0),
    (29, 112, 255),
    (134, 219, 61),
    (199, 55, 255),
    (255, 194, 0),
    (151, 157, 255),
    (52, 147, 26),
    (255, 56, 132),
    (10, 249, 207),
    (168, 153, 44),
    (200, 149, 255),
    (147, 69, 52),
    (23, 204, 146),
    (255, 115, 100),
    (133, 0, 82),
)


def palette(index: int) -> BGR:
    """The colour of class or track ``index``; they repeat after twenty."""
    return PALETTE[index % len(PALETTE)]


def row_colors(objects: Detections, by: ColorBy) -> list[BGR]:
    """A colour for each object: one for all, or by class, or by track; "auto" goes by track where there are tracks."""
    if isinstance(by, tuple):
        return [by[::-1]] * len(objects)
    ids = objects.class_id
    if objects.track_id is not None and by != "class":
        ids = objects.track_id  # type: ignore[assignment]
    return [palette(int(i)) for i in ids]


def line_width(image: Image, asked: int | None = None) -> int:
    """``asked``, or the line width in pixels that is well seen at the picture's size: 2 at 720p, 4 at 1080p."""
    return asked or max(1, round(min(image.width, image.height) / 300))


def text_height(image: Image, asked: int | None = None) -> int:
    """``asked``, or the letter size in pixels that reads well at the picture's size: 18 at 720p, 27 at 1080p."""
    return asked or max(12, round(min(image.width, image.height) / 40))


def on_color(background: BGR) -> BGR:
    """Black or white, whichever reads better on ``background``."""
    blue, green, red = background
    return (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 140 else (255, 255, 255)


def canvas_copy(image: Image) -> NDArray[np.uint8]:
    """The picture's pixels (H, W, 3), blue first, free to draw on."""
    return image.bgr().copy()
