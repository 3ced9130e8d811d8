"""Reads one picture file into an :class:`Image`: upright, 8 bits, grey or BGR."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import MissingExtraError, SourceError
from visionkit.lazy import cv2, load, np
from visionkit.media.sources.headers import MAX_PIXELS, Header, formats, is_cut_off, read_header
from visionkit.media.sources.reduced import Reduction, reduced_picture

if TYPE_CHECKING:
    from visionkit.data.image import Pixels

MAX_BYTES = 1 << 30
_CV2_CANNOT = {"CMYK", "LAB", "YCbCr", "HSV"}
_TURNS = {3: "ROTATE_180", 6: "ROTATE_90_CLOCKWISE", 8: "ROTATE_90_COUNTERCLOCKWISE"}


def load_picture(path: str, reduction: Reduction | None = None) -> Image:
    """The picture in a file.

    Turned as its EXIF orientation says. 16 bits are scaled to 8; float planes are taken as 0..1 if they lie there, as
    0..255 if they lie there, and are stretched otherwise. Transparent parts are laid over white. Of a TIFF with
    several pages the first. A JPEG is decoded at the scale that ``reduction`` allows.

    Raises:
        SourceError: empty, truncated, not a picture, or of more than 100 million pixels.
    """
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  half the time of a Path's
            if os.fstat(file.fileno()).st_size > MAX_BYTES:
                raise SourceError(f"{path}: a picture file of more than 1 GiB", help="make a video or tiles of it")
            data = file.readall()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror or error}") from error
    return decode_picture(data, path, reduction)


def decode_picture(data: bytes, name: str, reduction: Reduction | None = None) -> Image:
    """The picture in ``data``, as :func:`load_picture`; ``name`` is for messages."""
    if not data:
        raise SourceError(f"{name}: the file is empty")
    try:
        header = read_header(data)
        refuse_bomb(header, name)
        if reduction is not None and not is_cut_off(data):
            small = reduced_picture(data, header, reduction)
            if small is not None:
                return small
        pixels = _eight_bit(_opaque(_decode(data, header)))
    except SourceError:
        raise
    except Exception as error:  # whatever a decoder throws at broken data, one file must not end the run
        raise SourceError(f"{name}: {_reason(data, error)}") from error
    pixels = np.ascontiguousarray(upright(pixels, header.orientation))
    return Image(pixels, "gray" if pixels.ndim == 2 else "bgr")


def refuse_bomb(header: Header, name: str) -> None:
    """Raises SourceError for more pixels than anybody means to process."""
    if header.width * header.height > MAX_PIXELS:
        size = f"{header.width}×{header.height}"
        raise SourceError(
            f"{name}: {size} pixels are more than {MAX_PIXELS:,}, this may be a decompression bomb",
            help="scale it down or cut it into tiles first",
            code="VK321",
        )


def _decode(data: bytes, header: Header) -> Any:
    """Pixels as stored, (H, W) or (H, W, 3 | 4), any dtype, blue first."""
    if header.format == "HEIF":
        return _with_pillow_heif(data)
    if header.format in {"JPEG", "MPO"} and is_cut_off(data):
        raise ValueError("the file is truncated")
    pixels = None
    if header.mode not in _CV2_CANNOT:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    elif header.format == "JPEG":
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    return _with_pillow(data) if pixels is None else pixels


def _with_pillow(data: bytes) -> Pixels:
    with load("PIL.Image").open(io.BytesIO(data), formats=formats()) as picture:
        return np.asarray(picture.convert("RGB"))[..., ::-1]


def _with_pillow_heif(data: bytes) -> Pixels:
    try:
        heif = load("pillow_heif")
    except MissingExtraError as error:
        raise SourceError("HEIC pictures need the package pillow-heif", help="pip install pillow-heif") from error
    picture = heif.open_heif(io.BytesIO(data))  # libheif turns it upright by itself
    refuse_bomb(Header(*picture.size), "HEIC")
    return np.asarray(picture.to_pillow().convert("RGB"))[..., ::-1]


def _reason(data: bytes, error: Exception) -> str:
    """Why, in plain words."""
    pillow = load("PIL")
    if isinstance(error, pillow.UnidentifiedImageError):
        start = data[:64].lstrip().lower()
        if start.startswith((b"<!doctype", b"<html", b"<?xml", b"{")):
            return "this is a text or web page, not a picture"
        return "this is not a picture in a format that can be read"
    text = str(error).split("\n")[0] or type(error).__name__
    return f"the picture is broken: {text}"


def _opaque(pixels: Any) -> Any:
    """Without alpha: transparent parts show white, as a viewer would show them."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        return pixels[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] == 2:
        return over_white(pixels[..., :1], pixels[..., 1:])[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] == 4:
        return over_white(pixels[..., :3], pixels[..., 3:])
    return pixels


def over_white(colour: Any, alpha: Any) -> Any:
    """Colour planes (H, W, C) mixed with white by ``alpha`` (H, W, 1) of the same dtype."""
    top = np.iinfo(colour.dtype).max if colour.dtype.kind == "u" else 1.0
    if (alpha == top).all():
        return colour
    share = alpha.astype(np.float32) / top
    mixed = colour * share + top * (1 - share)
    return (np.rint(mixed) if colour.dtype.kind == "u" else mixed).astype(colour.dtype)


def _eight_bit(pixels: Any) -> Pixels:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    values = np.nan_to_num(pixels.astype(np.float64), posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if pixels.dtype.kind == "f" and low >= 0 and high <= 1:
        values = values * 255
    elif low < 0 or high > 255:
        values = (values - low) * (255 / ((high - low) or 1))
    return np.rint(values).astype(np.uint8)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Pixels turned and mirrored as an EXIF orientation from 1 to 8 says (Exif 2.32, tag 0x0112)."""
    if orientation in (2, 4):
        return cv2.flip(pixels, 1 if orientation == 2 else 0)
    if orientation in (5, 7):
        pixels = cv2.flip(pixels, 1)
        orientation = 8 if orientation == 5 else 6
    code = _TURNS.get(orientation)
    return pixels if code is None else cv2.rotate(pixels, getattr(cv2, code))


def picture_size(path: str) -> tuple[int, int]:
    """Width and height of the upright picture in a file, from its header.

    Raises:
        SourceError: the header cannot be read.
    """
    try:
        with load("PIL.Image").open(path, formats=formats()) as picture:
            width, height = picture.size
            turned = "exif" in picture.info and picture.getexif().get(0x0112, 1) >= 5
    except Exception as error:  # as for decoding: whatever a broken header brings about
        why = getattr(error, "strerror", None) or "the picture is broken, or not a picture"
        raise SourceError(f"{path}: {why}") from error
    return (height, width) if turned else (width, height)
