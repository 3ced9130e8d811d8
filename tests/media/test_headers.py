"""The header of a JPEG, read without Pillow: what Pillow says of it, or nothing."""

from __future__ import annotations

import io
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from visionkit.media.sources import headers
from visionkit.media.sources.headers import Header, jpeg_header


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (24, 40, 3), dtype=np.uint8)
    Pillow.fromarray(noise).convert(mode).save(file, "JPEG", **options)
    return file.getvalue()


def with_segment(data: bytes, body: bytes, marker: int = 0xE1) -> bytes:
    """``data`` with a segment more, right at its start."""
    return data[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + data[2:]


def exif(order: str, tag: int = 0x0112, kind: int = 3, count: int = 1, value: int = 6) -> bytes:
    head = b"II*\0" if order == "<" else b"MM\0*"
    rows = [(0x010F, 3, 1, 5), (tag, kind, count, value)]
    body = b"".join(struct.pack(f"{order}HHIHH", *row, 0) for row in rows)
    return b"Exif\0\0" + head + struct.pack(f"{order}IH", 8, len(rows)) + body + bytes(4)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(order: str, orientation: int) -> None:
    data = with_segment(jpeg(), exif(order, value=orientation))
    assert jpeg_header(data) == headers._with_pillow(data) == Header(40, 24, "RGB", "JPEG", orientation)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"comment": b"\xff\xc0"}])
def test_kinds_of_jpeg(mode: str, options: dict[str, object]) -> None:
    data = jpeg(mode, **options)
    assert jpeg_header(data) == headers._with_pillow(data) == Header(40, 24, mode, "JPEG", 1)


XMP = b"http://ns.adobe.com/xap/1.0/\0<x tiff:Orientation='6'/>"
UNUSUAL = {
    "four channels": jpeg("CMYK"),
    "no JPEG": b"\x89PNG\r\n\x1a\n" + bytes(64),
    "orientation as 32 bits": with_segment(jpeg(), exif("<", kind=4)),
    "an orientation that is none": with_segment(jpeg(), exif(">", value=9)),
    "two EXIF": with_segment(with_segment(jpeg(), exif("<")), exif("<", value=3)),
    "a directory that is cut off": with_segment(jpeg(), exif("<")[:20]),
    "orientation perhaps in XMP": with_segment(with_segment(jpeg(), exif("<", tag=0x0110)), XMP),
    "no frame": jpeg()[:20],
}


@pytest.mark.parametrize("data", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_left_to_pillow(data: bytes) -> None:
    assert jpeg_header(data) is None


def test_without_an_orientation() -> None:
    data = with_segment(jpeg(), exif("<", tag=0x0110))
    assert jpeg_header(data) == headers._with_pillow(data) == Header(40, 24, "RGB", "JPEG", 1)


def test_broken_bytes_are_no_error(samples: Path) -> None:
    """Where both can read it they agree, whatever is broken; ours never raises."""
    whole = with_segment(jpeg(), exif(">"))[:700]
    generator = random.Random(0)
    for _ in range(3000):
        data = bytearray(whole)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        jpeg_header(bytes(data[: generator.randrange(len(data))]))
    for path in sorted(samples.rglob("*.jpg")):
        found = jpeg_header(path.read_bytes())
        assert found is not None
        assert found == headers._with_pillow(path.read_bytes())
