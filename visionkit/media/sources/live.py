"""Webcams and network streams: one live source each, the newest frame first."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import SourceError, UsageError
from visionkit.lazy import av, cv2
from visionkit.media.containers import reason
from visionkit.media.redact import redact, redact_text
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.video import decoded_frames, failing, frame_image
from visionkit.stage.source import Frame, SourceInfo

if TYPE_CHECKING:
    from av.container import InputContainer

SCHEMES = ("rtsp", "rtsps", "http", "https")
TIMEOUT = (5.0, 5.0)  # seconds to open and to read: a frozen server must not hold a thread for longer
_NETWORK: Mapping[str, str] = {
    "protocol_whitelist": "http,https,tcp,tls,rtp,rtsp,rtsps,udp,crypto",
    "rtsp_transport": "tcp",
    "max_redirects": "0",  # a redirect may lead to another host
    "fflags": "nobuffer",
}

Clock = Callable[[], float]
Picture = tuple[Callable[[], Image], int, int]
"""How to get the picture, its width and height."""


class LiveSource:
    """One camera or stream. ``pts`` is the time of arrival since the first frame, so that it survives clock jumps.

    Args:
        name: what tables print; no credentials.
        pictures: opens the device and yields its pictures, raises SourceError where it fails.
    """

    live = True

    def __init__(
        self,
        name: str,
        pictures: Callable[[], Iterator[Picture]],
        options: SourceOptions,
        path: str | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.name = name
        self._pictures = pictures
        self._limit = options.limit
        self._clock = clock
        self._info = SourceInfo(name, "live", path, _file_name(name), fps=options.fps)
        self.infos: Sequence[SourceInfo] | None = (self._info,)

    @property
    def file_name(self) -> str:
        """What outputs call it."""
        return self._info.relpath

    def renamed(self, name: str) -> LiveSource:
        """The same under another name."""
        found = copy(self)
        found.name = name
        found._info = replace(self._info, name=name, relpath=_file_name(name))
        found.infos = (found._info,)
        return found

    def frames(self) -> Iterator[Frame]:
        info, index, session, first, size = self._info, 0, 0, None, None
        try:
            with closing(self._pictures()) as pictures:  # type: ignore[type-var]
                for load, width, height in pictures:
                    now = self._clock()
                    first = now if first is None else first
                    pts = Fraction(round((now - first) * 1_000_000), 1_000_000)
                    if size is None:
                        info = replace(info, width=width, height=height)
                    session += size not in (None, (width, height))
                    size = (width, height)
                    yield Frame(info, index, load, width * height * 3, pts, session)
                    index += 1
                    if index == self._limit:
                        return
        except SourceError as error:
            yield Frame(info, index, failing(error), 0, session=session)


def distinct(lanes: Iterable[LiveSource]) -> list[LiveSource]:
    """The lanes with a name and a file name of their own each: the second ``camera-0`` is ``camera-0#2``."""
    found: list[LiveSource] = []
    for lane in lanes:
        taken, number, unique = {other.file_name for other in found}, 1, lane
        while unique.file_name in taken:
            number += 1
            unique = lane.renamed(f"{lane.name}#{number}")
        found.append(unique)
    return found


def camera(number: int | str, options: SourceOptions) -> LiveSource:
    """A webcam by number or device path, through OpenCV."""
    name = f"camera-{number}" if isinstance(number, int) else number
    return LiveSource(name, lambda: _camera_pictures(number, options), options, path=name)


def stream(url: str, options: SourceOptions) -> LiveSource:
    """An RTSP or HTTP stream through PyAV.

    Raises:
        UsageError: another scheme.
    """
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise UsageError(f"{redact(url)}: streams of {scheme}:// are not read", help=f"one of {', '.join(SCHEMES)}")
    clean = redact(url)
    return LiveSource(clean, lambda: _stream_pictures(url, options), options, path=clean)


def _camera_pictures(number: int | str, options: SourceOptions) -> Iterator[Picture]:
    capture = cv2.VideoCapture(number)
    try:
        if not capture.isOpened():
            raise SourceError(f"camera {number}: it cannot be opened", help="is it plugged in, and free?")
        for key, value in _wishes(options):
            capture.set(key, value)
        while True:
            ok, pixels = capture.read()
            if not ok:
                raise SourceError(f"camera {number}: no more frames come from it")
            yield lambda pixels=pixels: Image(pixels), pixels.shape[1], pixels.shape[0]  # type: ignore[misc]
    finally:
        capture.release()


def _wishes(options: SourceOptions) -> Iterator[tuple[int, float]]:
    if options.fourcc:
        yield cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*options.fourcc)
    if options.size:
        yield cv2.CAP_PROP_FRAME_WIDTH, options.size[0]
        yield cv2.CAP_PROP_FRAME_HEIGHT, options.size[1]
    if options.fps:
        yield cv2.CAP_PROP_FPS, options.fps


def _stream_pictures(url: str, options: SourceOptions) -> Iterator[Picture]:
    with _open_stream(url) as container:
        video: Any = container.streams.best("video")
        if video is None:
            raise SourceError(f"{redact(url)}: there is no video in this stream")
        video.codec_context.thread_count = options.threads
        for frame in decoded_frames(container, video):
            if not isinstance(frame, SourceError):
                yield lambda frame=frame: frame_image(frame), frame.width, frame.height  # type: ignore[misc]
    raise SourceError(f"{redact(url)}: the stream has ended")


def _open_stream(url: str) -> InputContainer:
    try:
        return av.open(url, timeout=TIMEOUT, options=dict(_NETWORK))
    except (OSError, ValueError, av.error.FFmpegError) as error:
        why = redact_text(reason(error))
    raise SourceError(f"{redact(url)}: {why}")  # not from the error: its text has the password


def _file_name(name: str) -> str:
    """``name`` as a file name: ``rtsp://***@10.0.0.2:554/live`` → ``10-0-0-2-554-live``."""
    rest = name.partition("://")[2] or name
    kept = [c if c.isalnum() or c == "_" else "-" for c in rest.rpartition("@")[2]]
    return "-".join(filter(None, "".join(kept).split("-"))) or "live"
