"""What the first bytes of a picture file say: its size, mode and orientation, without decoding the pixels."""

from __future__ import annotations

import io
import struct
from functools import cache

from visionkit.frozen import Frozen
from visionkit.lazy import load

MAX_PIXELS = 100_000_000
_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "PPM", "JPEG2000", "AVIF")
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc"}
_ORIENTATION = 0x0112
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive
_TABLES = {0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)}  # what may stand before the frame: tables, comments, APP0..15
_EXIF = 0xE1
_MODES = {1: "L", 3: "RGB"}


class Header(Frozen):
    """What the first bytes say: size before orientation, Pillow's mode and format, EXIF orientation 1..8."""

    width: int
    height: int
    mode: str = ""
    format: str = ""
    orientation: int = 1


def read_header(data: bytes) -> Header:
    """Size, mode and orientation.

    Raises:
        Exception: whatever Pillow raises where it cannot read the format.
    """
    if is_heif(data):
        return Header(0, 0, format="HEIF")
    return jpeg_header(data) or _with_pillow(data)


def _with_pillow(data: bytes) -> Header:
    pillow = load("PIL.Image")
    try:
        with pillow.open(io.BytesIO(data), formats=formats()) as picture:
            orientation = 1
            # a PNG without would be decoded to look for it; a TIFF is turned by whoever decodes it
            if "exif" in picture.info and picture.format != "TIFF":
                orientation = picture.getexif().get(_ORIENTATION, 1)
            width, height = picture.size
            return Header(width, height, picture.mode, picture.format or "", orientation)
    except (pillow.DecompressionBombError, pillow.DecompressionBombWarning):
        return Header(MAX_PIXELS + 1, 1)


@cache
def formats() -> tuple[str, ...]:
    """What Pillow may open. It would hand PostScript, for one, to another program; old ones lack AVIF."""
    pillow = load("PIL.Image")
    pillow.init()
    return tuple(name for name in _FORMATS if name in pillow.OPEN)


def is_heif(data: bytes) -> bool:
    """True for the first bytes of an HEIC picture."""
    return data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS


def jpeg_header(data: bytes) -> Header | None:
    """The header of a grey or colour JPEG (ITU-T T.81, B.2) in a twentieth of the time that Pillow takes.

    None where anything is unusual: then Pillow has the word.
    """
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    found: list[bytes] = []
    while data[at : at + 1] == b"\xff" and at + 10 <= len(data):
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4])
        if marker in _FRAMES:
            return _of_frame(data[at + 4 : at + 10], found)
        if marker not in _TABLES or length < 2:
            return None
        if marker == _EXIF:
            found.append(data[at + 4 : at + 2 + length])
        at += 2 + length
    return None


def is_cut_off(data: bytes) -> bool:
    """True for a JPEG whose pixels have no end mark: decoders fill the rest with grey and say nothing."""
    return b"\xff\xd9" not in data[-4096:] and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")


def _of_frame(frame: bytes, found: list[bytes]) -> Header | None:
    """``frame``: sample precision, height, width, components; ``found``: the APP1 segments before it."""
    height, width = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    orientation = _orientation(found)
    if frame[0] != 8 or frame[5] not in _MODES or not (width and height and orientation):
        return None
    return Header(width, height, _MODES[frame[5]], "JPEG", orientation)


def _orientation(found: list[bytes]) -> int | None:
    """From 1 to 8; None where the segments have to be read more closely."""
    exif = [segment[6:] for segment in found if segment[:6] == b"Exif\0\0"]
    if not exif:
        return 1
    shorts = _shorts(exif[0]) if len(exif) == 1 else None
    if shorts is None:
        return None
    value = shorts.get(_ORIENTATION, 1 if len(found) == 1 else 0)  # otherwise XMP may have it
    return value if 1 <= value <= 8 else None


def _shorts(tiff: bytes) -> dict[int, int] | None:
    """By tag the numbers of 16 bits in the first directory of a TIFF file, 0 for all others; None if it is cut off."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        start = struct.unpack_from(f"{order}I", tiff, 4)[0]
        count = struct.unpack_from(f"{order}H", tiff, start)[0]
        rows = [struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * row) for row in range(count)]
    except struct.error:
        return None
    return {tag: value if (kind, number) == (3, 1) else 0 for tag, kind, number, value in rows}
