"""Network streams through PyAV: RTSP over TCP, and HTTP (MJPEG, MPEG-TS, progressive files)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from visionkit.errors import SourceError, UsageError
from visionkit.lazy import av
from visionkit.media.containers import reason
from visionkit.media.redact import redact, redact_text
from visionkit.media.sources.address import objection
from visionkit.media.sources.capture import Picture, Refused, now
from visionkit.media.sources.jpegs import Jpegs
from visionkit.media.sources.reconnect import Unreachable
from visionkit.media.sources.video import frame_image

if TYPE_CHECKING:
    from av.container import InputContainer

SCHEMES = ("rtsp", "rtsps", "http", "https")
OPEN = 5.0
"""Seconds for opening."""
READ = 8.0
"""Seconds for reading: a frozen server must not hold a thread for long."""
BROKEN_PACKETS = 100
"""Packets in a row that cannot be decoded; then the connection is given up."""
_COMMON: Mapping[str, str] = {
    "protocol_whitelist": "http,https,tcp,tls,rtsp,rtsps",
    # no playlists: they name addresses of their own
    "format_whitelist": "rtsp,mpjpeg,mjpeg,jpeg_pipe,mpegts,mpeg,flv,matroska,webm,mov,mp4,h264,hevc",
    "max_redirects": "0",  # a redirect may lead to another host
}
# What is sent while FFmpeg looks at a stream comes late and all at once; RTSP says beforehand what it will send.
_RTSP: Mapping[str, str] = {"rtsp_transport": "tcp", "probesize": "32", "analyzeduration": "1", "fps_probe_size": "0"}
_HTTP: Mapping[str, str] = {"analyzeduration": "500000", "fps_probe_size": "0"}


def check_scheme(url: str) -> None:
    """Raises UsageError for an address that is not read."""
    scheme = url.partition("://")[0].lower()
    if scheme not in SCHEMES:
        raise UsageError(f"{redact(url)}: streams of {scheme}:// are not read", help=f"one of {', '.join(SCHEMES)}")


def stream_pictures(url: str, threads: int = 0, read: float = READ) -> Iterator[Picture]:
    """The pictures of one connection, as they come. Its end is the end of a file behind the address.

    Args:
        url: where it is, with user and password if it wants them.
        threads: decoder threads, 0 for one: more add frames of delay or help little.
        read: seconds without data after which reading fails.

    Raises:
        SourceError: it cannot be opened, or is lost; :class:`Refused` where trying again would not help.
    """
    with _open(url, read) as container:
        yield from decoded(container, threads)
        if container.duration is None:
            raise SourceError("the stream has ended")


def decoded(container: InputContainer, threads: int = 0) -> Iterator[Picture]:
    """The pictures of an open container, each with the time when its packet came.

    Those of Motion JPEG are decoded when they are loaded: what is dropped costs nothing.

    Raises:
        Refused: there is no video in it.
        SourceError: reading failed, or too many packets in a row cannot be decoded.
    """
    video: Any = container.streams.best("video")
    if video is None or getattr(video, "codec_context", None) is None:
        raise Refused("there is no video in this stream")
    video.codec_context.thread_count = threads or 1
    decoder = Jpegs() if Jpegs.fit(container, video) else _Decoder()
    broken = 0
    for packet in _packets(container, video):
        try:
            found = decoder.pictures(packet, now())
            broken = 0
        except av.error.FFmpegError as error:  # the pictures that it was to be part of do not come
            broken += 1
            if broken >= BROKEN_PACKETS:
                raise SourceError(f"{broken} packets in a row cannot be decoded: {_told(error)}") from None
            continue
        yield from found


class _Decoder:
    """Pictures that depend on one another, with the times when their packets came."""

    def __init__(self) -> None:
        self._came: dict[int | None, float] = {}

    def pictures(self, packet: Any, came: float) -> list[Picture]:
        """What a packet completes."""
        self._came[packet.pts] = came
        frames = packet.decode()
        found = [
            Picture.within(partial(frame_image, frame), frame.width, frame.height, self._came.pop(frame.pts, came))
            for frame in frames
        ]
        if len(self._came) > BROKEN_PACKETS:
            self._came.clear()
        return found


def _packets(container: InputContainer, video: Any) -> Iterator[Any]:
    packets = container.demux(video)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:
            why = _told(error)
        else:
            if packet is None or not packet.size:
                return
            yield packet
            continue
        raise SourceError(why)


def _open(url: str, read: float) -> InputContainer:
    """The opened stream. Errors are not raised from PyAV's: their text has the password."""
    rtsp = url.lower().startswith("rtsp")
    if rtsp and (why := objection(url)):
        raise Refused(why)
    started = time.monotonic()
    found: SourceError
    try:
        return av.open(url, timeout=(OPEN, read), options={**_COMMON, **(_RTSP if rtsp else _HTTP)})
    except (OSError, ValueError, av.error.FFmpegError) as error:
        found = _translated(error, time.monotonic() - started)
    if not rtsp and not isinstance(found, (Refused, Unreachable)) and (why := objection(url)):
        found = Refused(why)
    raise found


def _translated(error: BaseException, seconds: float) -> SourceError:
    errors = av.error
    if isinstance(error, (errors.HTTPUnauthorizedError, errors.HTTPForbiddenError)):
        return Refused(f"the user or the password is wrong, or one is missing ({_told(error)})")
    if isinstance(error, (ConnectionRefusedError, errors.ConnectionRefusedError)):
        return Unreachable("nobody listens there (connection refused)")
    if isinstance(error, errors.ExitError) or seconds >= OPEN:
        return SourceError(f"no answer within {OPEN:g} seconds")
    if isinstance(error, errors.ArgumentError):
        return Refused("this is not a stream that is read: RTSP, MJPEG, MPEG-TS, or a video file")
    return SourceError(_told(error))


def _told(error: BaseException) -> str:
    if isinstance(error, av.error.ExitError):
        return "nothing came for too long"
    return redact_text(reason(error))
