"""Webcams without one: PyAV's capture path on FFmpeg's own devices, OpenCV's on files; the same code reads both.

FFmpeg's ``lavfi`` makes pictures at their own rate, as a webcam does; ``rawvideo`` takes the same options as v4l2 and
shows whether they arrive. What v4l2, avfoundation and dshow make of them, no test here has seen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from visionkit.errors import SourceError
from visionkit.media.sources import SourceOptions, camera
from visionkit.media.sources.capture import Picture
from visionkit.media.sources.live import LiveSource, patience
from visionkit.media.sources.reconnect import Link
from visionkit.stage import Frame, Gap

needs_lavfi = pytest.mark.skipif("lavfi" not in av.formats_available, reason="this PyAV has no lavfi")
TEST = "lavfi://testsrc=size=320x240:rate=25"


def source(pictures: Callable[[], Iterator[Picture]], options: SourceOptions) -> LiveSource:
    return LiveSource("cam", Link("cam", pictures, patience(options), retry=False), options)


@needs_lavfi
def test_a_device_of_pyav_as_it_films() -> None:
    options = SourceOptions(limit=20)
    began, before = time.monotonic(), threading.active_count()
    lane = source(partial(camera.device_pictures, f"{TEST},realtime", options), options)
    with closing(lane.frames()) as frames:  # type: ignore[type-var]
        found = [(item, item.load().bgr()) for item in frames if isinstance(item, Frame)]
    seconds = time.monotonic() - began
    assert [frame.index for frame, _ in found] == list(range(20))
    assert {pixels.shape for _, pixels in found} == {(240, 320, 3)}
    assert seconds > 19 / 25 * 0.9, "no faster than it films"
    times = [float(frame.pts or 0) for frame, _ in found]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(19 / 25, abs=0.3)
    assert (found[0][1] != found[-1][1]).any(), "it moves"
    until = time.monotonic() + 3
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.02)
    assert threading.active_count() <= before, "the device is let go"


@needs_lavfi
def test_a_device_that_is_unplugged_and_comes_back() -> None:
    options = SourceOptions(limit=15)
    lane = source(partial(camera.device_pictures, f"{TEST}:duration=0.4,realtime", options), options)
    items = list(lane.frames())
    frames = [item for item in items if isinstance(item, Frame)]
    (gap,) = [item for item in items if isinstance(item, Gap)]
    assert [frame.session for frame in frames] == [0] * 10 + [1] * 5
    assert items.index(gap) == 10
    assert "no more frames come from the camera" in gap.reason


def test_what_is_asked_of_a_device_arrives(tmp_path: Path) -> None:
    """The file is bytes: size, rate and format are nowhere in it."""
    (tmp_path / "camera.yuv").write_bytes(bytes(range(256)) * (5 * 64 * 48 * 2 // 256))
    options = SourceOptions(size=(64, 48), fps=10, fourcc="YUYV")
    pictures = camera.device_pictures(f"rawvideo://{tmp_path / 'camera.yuv'}", options)
    found = []
    with pytest.raises(SourceError, match="no more frames"):
        found.extend(pictures)
    assert [(picture.width, picture.height) for picture in found] == [(64, 48)] * 5
    assert found[0].load().bgr().shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("url", "said"), [("v4l2:///dev/video63", "cannot be opened"), ("nothing:///dev/video0", "no container format")]
)
def test_a_device_that_is_not_there(url: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        next(camera.device_pictures(url, SourceOptions(size=(64, 48))))


class Asked(list[tuple[int, float]]):
    """OpenCV's capture of a file, and what was asked of it."""

    def __init__(self, device: Any) -> None:
        self._capture = cv2.VideoCapture(device)

    def set(self, key: int, value: float) -> bool:
        self.append((key, value))
        return False  # as a camera that cannot

    def __getattr__(self, name: str) -> Any:
        return getattr(self._capture, name)


def test_a_device_of_opencv(samples: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Asked] = []

    def capture(device: Any) -> Asked:
        made.append(Asked(device))
        return made[-1]

    monkeypatch.setattr(camera, "cv2", _Like(VideoCapture=capture))
    options = SourceOptions(size=(320, 240), fps=30, fourcc="MJPG", limit=12)
    lane = source(lambda: camera.opencv_pictures(str(samples / "walk.mp4"), options), options)
    frames = [item for item in lane.frames() if isinstance(item, Frame)]
    assert len(frames) == 12
    assert frames[3].load().bgr().shape == (360, 640, 3), "what comes counts, not what was asked for"
    width, height = cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT
    mjpg = cv2.VideoWriter.fourcc(*"MJPG")
    asked = [(cv2.CAP_PROP_FOURCC, mjpg), (width, 320), (height, 240), (cv2.CAP_PROP_FPS, 30)]
    assert made[0] == asked, "the format first: sizes depend on it"
    until = time.monotonic() + 3
    while made[0].isOpened() and time.monotonic() < until:
        time.sleep(0.02)
    assert not made[0].isOpened()


class _Like:
    """``cv2`` with something in the place of something."""

    def __init__(self, **other: Any) -> None:
        self.__dict__.update(other)

    def __getattr__(self, name: str) -> Any:
        return getattr(cv2, name)
