"""Motion JPEG: what is loaded is what FFmpeg makes of the stream, and what is not loaded is not decoded."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.media.media_files import photo
from visionkit.errors import SourceError
from visionkit.media.sources.capture import Picture
from visionkit.media.sources.jpegs import Jpegs
from visionkit.media.sources.stream import decoded

EXIF = bytes.fromhex("ffe1002245786966000049492a0008000000010012010300010000000600000000000000")  # turn right


def jpeg(number: int, size: tuple[int, int] = (320, 240)) -> bytes:
    """A photo with a stripe that tells which."""
    picture = cv2.resize(photo(), size)
    picture[:, number * 8 % size[0] :][:, :8] = 255
    return cv2.imencode(".jpg", picture)[1].tobytes()


def grey() -> bytes:
    return cv2.imencode(".jpg", photo()[..., 1])[1].tobytes()


def turned() -> bytes:
    plain = jpeg(1)
    return plain[:2] + EXIF + plain[2:]


def without_tables() -> bytes:
    """Well-formed at both ends, but its Huffman tables have other lengths than they say."""
    plain = jpeg(1)
    at = plain.index(b"\xff\xc4")
    return plain[: at + 5] + bytes([255] * 16) + plain[at + 21 :]


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[Sequence[bytes]], Any]:
    def write(pictures: Sequence[bytes]) -> Any:
        head = b"--part\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
        path = tmp_path / "stream.mjpeg"
        path.write_bytes(b"".join(head % len(data) + data + b"\r\n" for data in pictures))
        return av.open(str(path), format="mpjpeg", options={"strict_mime_boundary": "0"})

    return write


def by_ffmpeg(container: Any) -> list[np.ndarray]:
    """Decoded one after the other."""
    found = []
    for packet in container.demux(video=0):
        try:
            found += [frame.to_ndarray(format="bgr24") for frame in packet.decode()]
        except av.error.FFmpegError:
            continue
    return found


def loaded(pictures: Sequence[Picture]) -> list[np.ndarray]:
    return [picture.load().bgr() for picture in pictures]


def test_pictures_are_those_of_ffmpeg(opened: Callable[..., Any]) -> None:
    stream = [jpeg(number) for number in range(20)]
    with closing(opened(stream)) as container:
        wanted = by_ffmpeg(container)
    with closing(opened(stream)) as container:
        pictures = list(decoded(container))
    assert len(wanted) == len(pictures) == 20
    assert [(picture.width, picture.height) for picture in pictures] == [(320, 240)] * 20
    with ThreadPoolExecutor(4) as pool:  # after the stream is closed, in any thread, in any order
        found = list(pool.map(lambda picture: picture.load().bgr(), reversed(pictures)))
    np.testing.assert_array_equal(found[::-1], wanted)


@pytest.mark.parametrize("odd", [grey, turned, lambda: jpeg(1)[:-900], lambda: b"no picture at all" * 40])
def test_odd_ones_are_ffmpegs_too(opened: Callable[..., Any], odd: Callable[[], bytes]) -> None:
    stream = [jpeg(0), jpeg(1), odd(), jpeg(2)]
    with closing(opened(stream)) as container:
        pictures = loaded(list(decoded(container)))
    with closing(opened(stream)) as container:
        wanted = by_ffmpeg(container)
    assert len(pictures) == len(wanted)
    for index in (0, 1, -1):
        np.testing.assert_array_equal(pictures[index], wanted[index])


def test_one_that_is_broken_inside_fails_alone(opened: Callable[..., Any]) -> None:
    with closing(opened([jpeg(0), without_tables(), jpeg(2)])) as container:
        before, broken, after = list(decoded(container))
    loaded([before, after])
    with pytest.raises(SourceError, match="a picture of the stream is broken"):
        broken.load()
    np.testing.assert_array_equal(*loaded([after, after]))


def test_what_is_not_loaded_is_not_decoded(opened: Callable[..., Any]) -> None:
    stream = [jpeg(number, (1280, 720)) for number in range(40)]

    def took(use: Callable[[Picture], object]) -> float:
        with closing(opened(stream)) as container:
            began = time.thread_time()
            assert sum(use(picture) is not None for picture in decoded(container)) == 40
            return time.thread_time() - began

    took(lambda picture: picture.load())
    assert took(lambda picture: picture.width) < took(lambda picture: picture.load()) / 4


def test_only_motion_jpeg(samples: Path) -> None:
    with closing(av.open(str(samples / "walk.mp4"))) as container:
        assert not Jpegs.fit(container, container.streams.video[0])
