"""Opens local video files with PyAV, the same way for sources and for outputs that copy audio."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.errors import SourceError
from visionkit.lazy import av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

JUMP = Fraction(1, 10)  # seconds; less is a slip of one timestamp
BROKEN = "this is not a video that can be read, or it is broken"
LOCAL_ONLY = {"protocol_whitelist": "file,crypto,data"}
"""A playlist in a file must not open addresses or other protocols."""


def open_local(path: str, hwaccel: Any = None) -> InputContainer:
    """The container in a local file; with ``hwaccel``, of PyAV, its video is decoded there.

    Raises:
        SourceError: it is missing, empty or not a video that can be read.
    """
    try:
        if Path(path).stat().st_size == 0:
            raise SourceError(f"{path}: the file is empty")
        # absolute: a name such as 12:30.mp4 would be taken for a protocol
        absolute, options = str(Path(path).absolute()), dict(LOCAL_ONLY)
        return av.open(absolute, options=options, metadata_errors="replace", hwaccel=hwaccel)
    except SourceError:
        raise
    except (OSError, ValueError, av.error.FFmpegError) as error:
        raise SourceError(f"{path}: {reason(error)}") from error


def reason(error: BaseException) -> str:
    """What PyAV says, without the path and the error number."""
    text = getattr(error, "strerror", None) or str(error).split("\n")[0]
    return BROKEN if text == "Invalid data found when processing input" else text


def best_video(container: InputContainer, path: str) -> VideoStream:
    """The video stream that players show.

    Raises:
        SourceError: there is none, or no decoder for it.
    """
    stream: Any = container.streams.best("video")
    if stream is None:
        raise SourceError(f"{path}: there is no video in this file")
    if getattr(stream, "codec_context", None) is None:
        raise SourceError(f"{path}: there is no decoder for its video")
    return stream


def start_of(stream: VideoStream) -> Fraction:
    """Where the stream begins on the container's clock, in seconds: pts 0 of its frames."""
    base = stream.time_base or Fraction(1)
    return (stream.start_time or 0) * base


def duration_of(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Seconds of video, None where the container does not say."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    return None if container.duration is None else Fraction(container.duration, 1_000_000)


class Continuous:
    """Times of a recording that was spliced: where they jump back, they go on from where they were.

    Args:
        step: seconds from the last time before a jump to the first one after it.
    """

    def __init__(self, step: Fraction) -> None:
        self._step = step
        self._last: Fraction | None = None
        self.offset = Fraction(0)

    def __call__(self, time: Fraction) -> Fraction:
        if self._last is not None and time + self.offset < self._last - JUMP:
            self.offset = self._last + self._step - time
        now = time + self.offset
        self._last = now if self._last is None else max(now, self._last)
        return now
