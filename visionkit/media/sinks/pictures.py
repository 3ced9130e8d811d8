"""Encodes a picture in the format its file name asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.errors import SinkError
from visionkit.lazy import cv2

if TYPE_CHECKING:
    from visionkit.data import Image

WRITABLE = frozenset({"jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "jp2", "ppm", "pgm"})
DEFAULT_QUALITY = 95


def writable(ext: str) -> str:
    """``ext`` where pictures can be written so, otherwise "png"."""
    return ext if ext in WRITABLE else "png"


def encode_picture(image: Image, ext: str, quality: int | None) -> bytes:
    """The bytes of a picture file; ``quality`` 1..100 matters for JPEG and WebP alone.

    Raises:
        SinkError: the format cannot hold this picture, such as a WebP of more than 16,383 pixels a side.
    """
    flags = {
        "jpg": cv2.IMWRITE_JPEG_QUALITY,
        "jpeg": cv2.IMWRITE_JPEG_QUALITY,
        "webp": cv2.IMWRITE_WEBP_QUALITY,
    }
    options = [flags[ext], quality or DEFAULT_QUALITY] if ext in flags else []
    pixels = image.bgr() if ext == "ppm" else image.gray() if ext == "pgm" else image.native()
    problem = f"a picture of {image.width}×{image.height} cannot be written as .{ext}"
    try:
        done, data = cv2.imencode(f".{ext}", pixels, options)
    except cv2.error as error:
        raise SinkError(f"{problem}: {error.err}") from error
    if not done:
        raise SinkError(problem)
    return bytes(data)
