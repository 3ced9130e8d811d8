"""JPEGs decoded at a half, a quarter or an eighth of their size, which libjpeg does while it decodes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from visionkit.data import Canvas, Homography, Reduced
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from visionkit.data import Image
    from visionkit.media.sources.headers import Header

Reduction = Callable[[int, int], int]
"""Width and height of the upright picture → 1, 2, 4 or 8."""
_MODES = {"L": "GRAYSCALE", "RGB": "COLOR"}


def reduced_picture(data: bytes, header: Header, reduction: Reduction) -> Image | None:
    """The picture at the scale that ``reduction`` allows; None where it has to be decoded whole.

    A pixel of it stands for a square of the whole picture. Where a side does not divide, libjpeg makes the last pixel
    from what there is, so the canvas may reach a little over the frame's edge.
    """
    from visionkit.media.sources.pictures import upright

    turned = header.orientation >= 5
    width, height = (header.height, header.width) if turned else (header.width, header.height)
    factor = reduction(width, height) if header.format in ("JPEG", "MPO") and header.mode in _MODES else 1
    if factor == 1:
        return None
    flags = getattr(cv2, f"IMREAD_REDUCED_{_MODES[header.mode]}_{factor}") | cv2.IMREAD_IGNORE_ORIENTATION
    stored = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if stored is None:
        return None
    pixels = np.ascontiguousarray(upright(stored, header.orientation))
    canvas = _canvas(*pixels.shape[:2], width, height, factor, header.orientation)
    return Reduced(pixels, "gray" if pixels.ndim == 2 else "bgr", canvas)


@lru_cache
def _canvas(rows: int, columns: int, width: int, height: int, factor: int, orientation: int) -> Canvas:
    """Squares are counted from the stored corner, which turning may have put on the other side."""
    left = width - factor * columns if orientation in (2, 3, 6, 7) else 0
    top = height - factor * rows if orientation in (3, 4, 7, 8) else 0
    step = Homography(np.array([[factor, 0, left], [0, factor, top], [0, 0, 1]], float))
    return Canvas.source(width, height).derive(columns, rows, step)
