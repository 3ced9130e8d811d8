"""Pictures put together into one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stages.draw._style import BGR, text_height
from visionkit.stages.draw._text import Lettering

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


def grid(
    images: Sequence[Image], columns: int, gap: int, color: BGR, titles: Sequence[str], lettering: Lettering
) -> Pixels:
    """Pictures row by row in cells of the size of the first, each fitted into its cell without being cut.

    Returns:
        pixels (H, W, 3), blue first.
    """
    width, height = images[0].width, images[0].height
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    shape = (rows * height + (rows - 1) * gap, columns * width + (columns - 1) * gap, 3)
    pixels = np.empty(shape, np.uint8)
    cv2.rectangle(pixels, (0, 0), shape[1::-1], color, cv2.FILLED)
    for place, image in enumerate(images):
        y, x = (place // columns) * (height + gap), (place % columns) * (width + gap)
        cell = pixels[y : y + height, x : x + width]
        _fit_into(cell, image)
        if place < len(titles) and titles[place]:
            lettering.block(cell, [titles[place]], "top-left", text_height(image), (0, 0, 0))
    return pixels


def _fit_into(cell: Pixels, image: Image) -> None:
    ratio = min(cell.shape[1] / image.width, cell.shape[0] / image.height)
    wide, high = max(1, round(image.width * ratio)), max(1, round(image.height * ratio))
    kind = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    scaled = image.bgr() if ratio == 1 else cv2.resize(image.bgr(), (wide, high), interpolation=kind)
    top, left = (cell.shape[0] - high) // 2, (cell.shape[1] - wide) // 2
    cell[top : top + high, left : left + wide] = scaled
