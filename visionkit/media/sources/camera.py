"""Webcams, through OpenCV or the system's own capture format in PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from visionkit.data import Image
from visionkit.errors import SourceError
from visionkit.lazy import av, cv2
from visionkit.media.containers import reason
from visionkit.media.sources.capture import Picture, now
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.stream import OPEN, READ, decoded

DEVICES = ("v4l2", "avfoundation", "dshow")
"""Capture formats of Linux, macOS and Windows in PyAV: ``v4l2:///dev/video0``, ``avfoundation://0``."""
_FORMATS = {"MJPG": "mjpeg", "YUYV": "yuyv422", "H264": "h264"}
_CODECS = ("MJPG", "H264")  # avfoundation and dshow choose those by themselves


def opencv_pictures(device: int | str, options: SourceOptions) -> Iterator[Picture]:
    """The pictures of a webcam through OpenCV.

    Raises:
        SourceError: it cannot be opened, or gives no more.
    """
    capture = cv2.VideoCapture(device)
    try:
        if not capture.isOpened():
            raise SourceError("the camera cannot be opened: is it plugged in, and free?")
        for key, value in _wishes(options):
            capture.set(key, value)
        while True:
            ok, pixels = capture.read()
            if not ok:
                raise SourceError("no more frames come from the camera")
            yield Picture(_loader(pixels), pixels.shape[1], pixels.shape[0], now())
    finally:
        capture.release()


def device_pictures(url: str, options: SourceOptions) -> Iterator[Picture]:
    """The pictures of a webcam through PyAV; ``url`` is one of :data:`DEVICES`, ``://`` and the device's name.

    Raises:
        SourceError: this PyAV has no such format, it cannot be opened, or gives no more.
    """
    format_, _, device = url.partition("://")
    wanted = {"video_size": "{}x{}".format(*options.size) if options.size else ""}
    wanted |= {"framerate": f"{options.fps:g}" if options.fps else ""}
    if options.fourcc and format_ == "v4l2":
        wanted["input_format"] = _FORMATS.get(options.fourcc, options.fourcc.lower())
    elif options.fourcc not in _CODECS:
        wanted["pixel_format"] = _FORMATS.get(options.fourcc or "", (options.fourcc or "").lower())
    given = {name: value for name, value in wanted.items() if value}
    try:
        container = av.open(device, format=format_, options=given, timeout=(OPEN, options.stall or READ))
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise SourceError(f"the camera cannot be opened: {reason(error)}") from error
    with closing(container):
        yield from decoded(container)
    raise SourceError("no more frames come from the camera")


def _loader(pixels: Any) -> Callable[[], Image]:
    return lambda: Image(pixels)


def _wishes(options: SourceOptions) -> Iterator[tuple[int, float]]:
    if options.fourcc:
        yield cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.fourcc)
    if options.size:
        yield cv2.CAP_PROP_FRAME_WIDTH, options.size[0]
        yield cv2.CAP_PROP_FRAME_HEIGHT, options.size[1]
    if options.fps:
        yield cv2.CAP_PROP_FPS, options.fps
