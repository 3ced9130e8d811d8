"""Motion JPEG: every packet is a picture of its own, so one that nobody takes need not be decoded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import SourceError
from visionkit.lazy import av
from visionkit.media.containers import reason
from visionkit.media.sources.capture import Picture
from visionkit.media.sources.headers import is_cut_off, jpeg_header
from visionkit.media.sources.video import frame_image

if TYPE_CHECKING:
    from av import VideoFrame
    from av.codec.context import CodecContext
    from av.container import InputContainer

CONTAINERS = ("mpjpeg", "mjpeg", "jpeg_pipe", "rtsp", "video4linux2,v4l2", "avfoundation", "dshow")
"""Formats that say nothing about a picture that is not in the JPEG itself, such as how it is turned."""


class Jpegs:
    """Pictures of a stream of JPEGs, decoded when they are asked for, in the thread that asks."""

    def __init__(self) -> None:
        self._idle: list[CodecContext] = []  # a decoder serves one thread at a time

    @staticmethod
    def fit(container: InputContainer, video: Any) -> bool:
        """True where they can read a video stream of an open container."""
        return video.codec_context.name == "mjpeg" and container.format.name in CONTAINERS

    def pictures(self, packet: Any, came: float) -> list[Picture]:
        """The picture in a packet. One that is cut off, turned or unusual is decoded at once.

        Raises:
            av.error.FFmpegError: it was decoded at once, and cannot be.
        """
        data = bytes(packet)
        header = jpeg_header(data)
        if header is not None and (header.mode, header.orientation) == ("RGB", 1) and not is_cut_off(data):
            return [Picture.within(partial(self._load, data), header.width, header.height, came)]
        frames = self._decode(data)
        return [Picture.within(partial(frame_image, frame), frame.width, frame.height, came) for frame in frames]

    def _load(self, data: bytes) -> Image:
        try:
            frames = self._decode(data)
        except av.error.FFmpegError as error:
            raise SourceError(f"a picture of the stream is broken: {reason(error)}") from None
        if not frames:
            raise SourceError("a picture of the stream is broken: it has no pixels")
        return frame_image(frames[0])

    def _decode(self, data: bytes) -> list[VideoFrame]:
        try:
            decoder: Any = self._idle.pop()
        except IndexError:  # all of them are at work
            decoder = av.CodecContext.create("mjpeg", "r")
            decoder.thread_count = 1
        try:
            return decoder.decode(av.Packet(data))
        finally:
            self._idle.append(decoder)
