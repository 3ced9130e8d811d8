"""Network streams through PyAV: RTSP over TCP, and HTTP (MJPEG, MPEG-TS, progressive files)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import SourceError, UsageError
from visionkit.lazy import av
from visionkit.media.containers import reason
from visionkit.media.redact import redact, redact_text
from visionkit.media.sources.address import objection
from visionkit.media.sources.capture import Picture, Refused, now
from visionkit.media.sources.headers import MAX_PIXELS
from visionkit.media.sources.reconnect import Unreachable
from visionkit.media.sources.video import failing, frame_image

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

    Raises:
        Refused: there is no video in it.
        SourceError: reading failed, or too many packets in a row cannot be decoded.
    """
    video: Any = container.streams.best("video")
    if video is None or getattr(video, "codec_context", None) is None:
        raise Refused("there is no video in this stream")
    video.codec_context.thread_count = threads or 1
    came: dict[int | None, float] = {}
    broken = 0
    for packet in _packets(container, video):
        came[packet.pts] = moment = now()
        try:
            frames = packet.decode()
            broken = 0
        except av.error.FFmpegError as error:  # the pictures that it was to be part of do not come
            broken += 1
            if broken >= BROKEN_PACKETS:
                raise SourceError(f"{broken} packets in a row cannot be decoded: {_told(error)}") from None
            continue
        for frame in frames:
            yield Picture(_loader(frame), frame.width, frame.height, came.pop(frame.pts, moment))
        if len(came) > BROKEN_PACKETS:
            came.clear()


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


def _loader(frame: Any) -> Callable[[], Image]:
    if frame.width * frame.height > MAX_PIXELS:
        return failing(SourceError(f"a frame of {frame.width}×{frame.height} pixels is too large"))
    return lambda: frame_image(frame)


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
