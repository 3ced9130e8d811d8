"""Picture or video? By the name, and where the name leaves it open (GIF, PNG, WebP) by the first bytes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Literal

Kind = Literal["image", "video"]

_PICTURES = "jpg jpeg jpe jfif png apng bmp dib tif tiff webp gif ppm pgm pbm pnm jp2 heic heif hif avif"
_VIDEOS = "mp4 m4v mov avi mkv webm mpg mpeg m2v ts mts m2ts wmv asf flv 3gp 3g2 ogv ogm vob mxf mjpeg y4m h264 hevc"
PICTURES = frozenset(_PICTURES.split())
VIDEOS = frozenset(_VIDEOS.split())
_MAYBE_ANIMATED = frozenset({"gif", "png", "apng", "webp"})
_HEAD = 8192


def suffix(path: str) -> str:
    """The extension in lower case, without the dot."""
    return os.path.splitext(path)[1][1:].lower()  # noqa: PTH122  asked several times for every file


def kind_by_name(path: str) -> Kind | None:
    """What the extension says; None if it says nothing."""
    ext = suffix(path)
    if ext in VIDEOS:
        return "video"
    return "image" if ext in PICTURES else None


def kind_of(path: str) -> Kind:
    """What the file is. An animated GIF, PNG or WebP is a video, a file of unknown name is looked into.

    A file that cannot be read counts by its name: the error is reported when its turn comes.
    """
    named = kind_by_name(path)
    if named is not None and suffix(path) not in _MAYBE_ANIMATED:
        return named
    try:
        with Path(path).open("rb") as file:
            animated = is_animated(file)
            file.seek(0)
            picture = named == "image" or is_picture(file.read(32))
    except OSError:
        return named or "image"
    return "video" if animated or not picture else "image"


def is_picture(head: bytes) -> bool:
    """True if the first 32 bytes are those of a still picture's format."""
    if head[4:8] == b"ftyp":
        return head[8:12] in {b"heic", b"heix", b"mif1", b"heim", b"heis", b"avif"}
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    netpbm = len(head) > 2 and head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()
    starts = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP  ")
    return webp or netpbm or head.startswith(starts)


def is_animated(file: BinaryIO) -> bool:
    """True for a GIF of two frames or more, an APNG or an animated WebP."""
    head = file.read(_HEAD)
    if head[:8] == b"\x89PNG\r\n\x1a\n":  # acTL comes before the pixels
        return b"acTL" in head.partition(b"IDAT")[0]
    if head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X":
        return len(head) > 20 and bool(head[20] & 0x02)
    if head[:6] in (b"GIF87a", b"GIF89a"):
        file.seek(0)
        return _gif_frames(file, 2) > 1
    return False


def _gif_frames(file: BinaryIO, enough: int) -> int:
    """Counts image blocks, up to ``enough``, stepping over their data. GIF89a specification, W3C."""
    header = file.read(13).ljust(13, b"\0")
    file.seek(_table(header[10]), 1)
    frames = 0
    while frames < enough:
        mark = file.read(1)
        if mark == b"!":
            file.seek(1, 1)
        elif mark == b",":
            frames += 1
            file.seek(_table((file.read(9) or b"\0")[-1]) + 1, 1)
        else:
            break
        while size := file.read(1)[:1] or b"\0":
            if size == b"\0":
                break
            file.seek(size[0], 1)
    return frames


def _table(flags: int) -> int:
    """Bytes of the colour table that ``flags`` announce."""
    return int(3 * 2 ** ((flags & 7) + 1)) if flags & 0x80 else 0
