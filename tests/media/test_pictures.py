"""Every kind of picture file comes in upright, with 8 bits, and broken ones say why."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageOps

from tests.media.media_files import photo
from visionkit.errors import SourceError
from visionkit.media.sources.pictures import decode_picture, load_picture, picture_size

PHOTO = photo(40, 30)


def saved(picture: Any, format: str, **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, format, **options)
    return data.getvalue()


def pillow(mode: str = "RGB") -> Any:
    return Pillow.fromarray(PHOTO[..., ::-1].copy()).convert(mode)


def encoded(ext: str, pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(ext, pixels)[1])


@pytest.mark.parametrize("ext", [".jpg", ".png", ".bmp", ".tif", ".webp", ".ppm", ".jp2"])
def test_plain_pictures_are_what_opencv_reads(tmp_path: Path, ext: str) -> None:
    path = tmp_path / f"a{ext}"
    cv2.imwrite(str(path), photo(96, 72))
    image = load_picture(str(path))
    assert image.order == "bgr"
    assert np.array_equal(image.bgr(), cv2.imread(str(path)))
    assert (image.width, image.height) == picture_size(str(path)) == (96, 72)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_exif_orientation(tmp_path: Path, format: str, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(format, {})
    data = saved(pillow(), format, exif=exif, **options)
    want = np.asarray(ImageOps.exif_transpose(Pillow.open(io.BytesIO(data))))[..., ::-1]
    got = decode_picture(data, "x").bgr()
    assert got.shape == want.shape
    assert np.abs(got.astype(int) - want).max() <= 2
    path = tmp_path / "x"
    path.write_bytes(data)
    assert picture_size(str(path)) == (want.shape[1], want.shape[0])


@pytest.mark.parametrize("ext", [".png", ".tif"])
def test_sixteen_bits_are_scaled(ext: str) -> None:
    deep = np.array([[0, 128, 129, 257, 32768, 65535]], np.uint16)
    gray = decode_picture(encoded(ext, deep), "x")
    assert gray.is_gray
    assert gray.gray().tolist() == [[0, 0, 1, 1, 128, 255]]
    colour = decode_picture(encoded(ext, PHOTO.astype(np.uint16) * 257), "x")
    assert np.array_equal(colour.bgr(), PHOTO)


@pytest.mark.parametrize(
    ("values", "want"),
    [
        ([0.0, 0.5, 1.0], [0, 128, 255]),  # a share
        ([0.0, 100.2, 255.0], [0, 100, 255]),  # grey levels
        ([-10.0, 0.0, 990.0], [0, 3, 255]),  # anything: stretched
        ([0.0, float("nan"), 1.0], [0, 0, 255]),
    ],
)
def test_float_tiff(values: list[float], want: list[int]) -> None:
    image = decode_picture(encoded(".tif", np.array([values], np.float32)), "x")
    assert image.gray()[0].tolist() == want


def test_gray_stays_gray() -> None:
    for format in ("JPEG", "PNG", "TIFF", "BMP"):
        image = decode_picture(saved(pillow("L"), format), "x")
        assert image.is_gray, format
    one_bit = decode_picture(saved(pillow("1"), "PNG"), "x")
    assert set(np.unique(one_bit.gray())) == {0, 255}


@pytest.mark.parametrize(("mode", "format"), [("RGBA", "PNG"), ("LA", "PNG"), ("RGBA", "WEBP"), ("RGBA", "TIFF")])
def test_transparent_parts_are_white(mode: str, format: str) -> None:
    picture = pillow(mode)
    alpha = np.zeros((30, 40), np.uint8)
    alpha[:, 20:] = 255
    picture.putalpha(Pillow.fromarray(alpha))
    got = decode_picture(saved(picture, format, **({"lossless": True} if format == "WEBP" else {})), "x").bgr()
    assert (got[:, :20] == 255).all()
    assert np.array_equal(got[:, 20:], np.asarray(picture.convert("RGB"))[:, 20:, ::-1])


def test_palette_with_a_transparent_colour() -> None:
    picture = Pillow.new("P", (4, 2), 1)
    picture.putpalette([0, 0, 0, 10, 200, 30] + [0] * 750)
    picture.putpixel((0, 0), 0)
    got = decode_picture(saved(picture, "PNG", transparency=0), "x").bgr()
    assert got[0, 0].tolist() == [255, 255, 255]
    assert got[0, 1].tolist() == [30, 200, 10]


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk(format: str) -> None:
    data = saved(pillow("CMYK"), format, **({"quality": 100, "subsampling": 0} if format == "JPEG" else {}))
    got = decode_picture(data, "x").bgr()
    assert np.abs(got.astype(int) - PHOTO).max() <= 3


def test_still_gif() -> None:
    got = decode_picture(saved(pillow("P"), "GIF"), "x").bgr()
    assert np.array_equal(got, np.asarray(pillow("P").convert("RGB"))[..., ::-1])


def bomb(width: int, height: int) -> bytes:
    """A small PNG that claims to be huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body


@pytest.mark.parametrize("size", [(10_001, 10_000), (13_000, 13_000), (60_000, 60_000)])
def test_bombs_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(SourceError, match="bomb") as caught:
        decode_picture(bomb(*size), "bomb.png")
    assert caught.value.code == "VK321"


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "JPEG2000", "PPM"])
def test_truncated_files(format: str) -> None:
    data = saved(pillow("P" if format == "GIF" else "RGB").resize((200, 200)), format)
    with pytest.raises(SourceError, match=r"broken|truncated|not a picture"):
        decode_picture(data[: len(data) * 6 // 10], "cut")


def test_truncated_jpeg_with_a_thumbnail() -> None:
    """The thumbnail has an end mark of its own."""
    exif = b"Exif\0\0" + bytes(20) + saved(pillow().resize((16, 12)), "JPEG")
    data = saved(pillow().resize((300, 300)), "JPEG", exif=exif)
    assert decode_picture(data, "whole").width == 300
    with pytest.raises(SourceError, match="truncated"):
        decode_picture(data[:-300] if len(data) > 4000 else data[:-60], "cut")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"not a picture at all", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EOF\n", "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "broken|not a picture"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "broken|not a picture"),
    ],
)
def test_what_is_no_picture(data: bytes, why: str) -> None:
    with pytest.raises(SourceError, match=why):
        decode_picture(data, "x.jpg")


def test_a_missing_file_is_a_source_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        load_picture(str(tmp_path / "gone.jpg"))


def test_heic(tmp_path: Path) -> None:
    try:
        import pillow_heif
    except ImportError:
        with pytest.raises(SourceError, match="pillow-heif") as caught:
            decode_picture(b"\0\0\0\x18ftypheic" + bytes(100), "a.heic")
        assert "pip install" in caught.value.help
        return
    path = tmp_path / "a.heic"
    pillow_heif.from_pillow(pillow().resize((64, 48))).save(path)
    assert load_picture(str(path)).width == 64
