"""Reads a video file frame by frame: exact times, upright, broken parts skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import SourceError
from visionkit.lazy import av, cv2
from visionkit.media.containers import Continuous, best_video, duration_of, open_local, reason, start_of
from visionkit.media.sources.headers import MAX_PIXELS
from visionkit.media.sources.nvdec import Converter, objection, open_on
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.pictures import over_white
from visionkit.stage.source import Frame, SourceInfo

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

MAX_ERRORS_IN_A_ROW = 200
_BT601 = {2, 5, 6}  # unspecified, BT.470BG, SMPTE 170M: what cv2's I420 conversion means
_TURNS = {90: "ROTATE_90_COUNTERCLOCKWISE", 180: "ROTATE_180", 270: "ROTATE_90_CLOCKWISE"}


def failing(error: SourceError) -> Callable[[], Image]:
    """A ``load`` that raises ``error``."""

    def load() -> Image:
        raise error

    return load


def _now(load: Callable[[], Image]) -> Callable[[], Image]:
    """``load``, done already."""
    try:
        image = load()
    except SourceError as error:
        return failing(error)
    return lambda: image


def video_frames(
    info: SourceInfo, options: SourceOptions, report: Callable[[str], None] = lambda text: None
) -> Iterator[Frame]:
    """The frames of the file ``info.path``; one that cannot be decoded is a frame whose ``load`` raises.

    ``pts`` counts from the start of the video stream, also with ``from_``. The ``info`` of the frames has the size,
    rate and audio filled in, and is the same object for all. A change of size begins a new session. ``report`` hears
    why a decoder that was asked for is not used.
    """
    path = info.path or ""
    options = _decoder(path, options, report)
    try:
        container = open_on(path, options.device) if options.device else open_local(path)
    except SourceError as error:
        yield Frame(info, 0, failing(error), 0)
        return
    with container:
        try:
            stream = best_video(container, path)
            reader = _Reader(info, options, container, stream)
        except SourceError as error:
            yield Frame(info, 0, failing(error), 0)
            return
        yield from reader.frames()


def _decoder(path: str, options: SourceOptions, report: Callable[[str], None]) -> SourceOptions:
    """The options with a device that decodes this video, or none."""
    if options.device and (text := objection(path, options.device)):
        report(f"{path}: the CPU decodes it, not NVDEC: {text}")
        return replace(options, device="")
    return options


@dataclass
class _Reader:
    """Turns decoded frames into :class:`Frame`: numbers, times, sampling, sessions."""

    info: SourceInfo
    options: SourceOptions
    container: InputContainer
    stream: VideoStream
    index: int = 0
    session: int = 0
    last: Fraction | None = None
    size: tuple[int, int] | None = None
    slot: int = -1
    start: Fraction = field(init=False)
    step: Fraction = field(init=False)
    clock: Continuous = field(init=False)
    convert: Callable[[VideoFrame], Image] = field(init=False)

    def __post_init__(self) -> None:
        stream = self.stream
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = 1 if self.options.device else self.options.threads
        self.convert = Converter() if self.options.device else frame_image
        self.start = start_of(stream)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        self.step = 1 / Fraction(rate)
        self.clock = Continuous(self.step)
        sampled = self.options.from_ or self.options.to or self.options.fps
        frames = None if sampled or not stream.frames else stream.frames
        audio = bool(self.container.streams.audio)
        self.info = replace(self.info, fps=float(rate), frames=frames, audio=audio)
        if sampled and not frames and (length := duration_of(self.container, stream)):
            self.info = replace(self.info, frames=self._expected(length))

    def _expected(self, length: Fraction) -> int | None:
        options = self.options
        stop = min(length, Fraction(options.to)) if options.to is not None else length
        rate = min(float(1 / self.step), options.fps or float("inf"))
        return max(0, round(float(stop - Fraction(options.from_ or 0)) * rate)) or None

    def frames(self) -> Iterator[Frame]:
        begin = Fraction(self.options.from_ or 0)
        if begin and self.stream.time_base:
            with suppress(av.error.FFmpegError):  # no index: what lies before is decoded and thrown away
                self.container.seek(int((begin + self.start) / self.stream.time_base), stream=self.stream)
        for decoded in decoded_frames(self.container, self.stream):
            if isinstance(decoded, SourceError):
                yield self._tombstone(decoded)
                continue
            pts = self._pts(decoded)
            if self.options.to is not None and pts >= self.options.to:
                break
            self.last = pts
            if pts >= begin and self._due(pts):
                yield self._frame(decoded, pts)
        if self.index == 0:  # not a word about a file that was asked for would be a loss
            sampled = self.options.from_ is not None or self.options.to is not None
            yield self._tombstone(
                SourceError("no frames lie between --from and --to" if sampled else "this video has no frames")
            )

    def _pts(self, frame: VideoFrame) -> Fraction:
        """Seconds since the start of the stream; always later than the frame before, even in broken files."""
        base = frame.time_base or self.stream.time_base  # frames that come out at the end know none
        if frame.pts is None or base is None:
            return Fraction(0) if self.last is None else self.last + self.step
        pts = self.clock(frame.pts * base - self.start)
        return pts if self.last is None or pts > self.last else self.last + base

    def _due(self, pts: Fraction) -> bool:
        """Of each 1/fps of a second the first frame is taken."""
        if self.options.fps is None:
            return True
        slot = int(pts * Fraction(self.options.fps).limit_denominator(1001))
        due = slot != self.slot
        self.slot = slot
        return due

    def _frame(self, decoded: VideoFrame, pts: Fraction) -> Frame:
        width, height = decoded.width, decoded.height
        if decoded.rotation % 180:
            width, height = height, width
        if self.size not in (None, (width, height)):
            self.session += 1
        if self.size is None and self.index == 0:  # one info for all frames: it stands for the source
            self.info = replace(self.info, width=width, height=height)
        self.size = (width, height)
        if width * height > MAX_PIXELS:
            return self._tombstone(SourceError(f"{self.info.path}: a frame of {width}×{height} pixels is too large"))
        load = partial(self._image, decoded)
        return self._next(_now(load) if self.options.device else load, width * height * 3, pts)

    def _image(self, decoded: VideoFrame) -> Image:
        try:
            return self.convert(decoded)
        except (ValueError, av.error.FFmpegError, cv2.error) as error:
            raise SourceError(f"{self.info.path}: a frame cannot be converted: {reason(error)}") from error

    def _tombstone(self, error: SourceError) -> Frame:
        where = SourceError(f"{self.info.path}: frame {self.index}: {error.message}")
        return self._next(failing(where), 0, Fraction(self.options.from_ or 0) if self.last is None else self.last)

    def _next(self, load: Callable[[], Image], nbytes: int, pts: Fraction | None) -> Frame:
        frame = Frame(self.info, self.index, load, nbytes, pts, self.session)
        self.index += 1
        return frame


def decoded_frames(container: InputContainer, stream: Any) -> Iterator[VideoFrame | SourceError]:
    """All frames of a stream; a packet that cannot be decoded gives an error in its place, and reading goes on."""
    broken = 0
    for packet in _packets(container, stream):
        try:
            if isinstance(packet, SourceError):
                raise packet
            yield from packet.decode()
            broken = 0
        except (SourceError, av.error.FFmpegError) as error:
            broken += 1
            yield error if isinstance(error, SourceError) else SourceError(f"cannot be decoded: {reason(error)}")
            if broken >= MAX_ERRORS_IN_A_ROW:
                return
    try:
        yield from stream.codec_context.decode(None)
    except (av.error.FFmpegError, EOFError):  # flushed already
        return


def _packets(container: InputContainer, stream: Any) -> Iterator[Any]:
    """The packets of a stream without the flushing one; a read error comes as a SourceError, then the rest."""
    broken = 0
    while broken < MAX_ERRORS_IN_A_ROW:
        try:
            for packet in container.demux(stream):
                if packet.size:
                    yield packet
                    broken = 0
            return
        except av.error.FFmpegError as error:
            broken += 1
            yield SourceError(f"cannot be read: {reason(error)}")


def frame_image(frame: VideoFrame) -> Image:
    """A decoded frame as an upright picture.

    Frames that cv2 converts rightly (8-bit 4:2:0, limited range, BT.601, even sides) stay I420: the conversion waits
    until somebody asks for BGR. All others go through swscale, which knows their matrix, range and depth.
    """
    turn = frame.rotation % 360
    array: Any
    if not turn and _is_plain(frame):
        array = frame.to_ndarray()
        return Image(array, "i420")
    has_alpha = any(component.is_alpha for component in frame.format.components)
    array = frame.to_ndarray(format="bgra" if has_alpha else "bgr24")
    pixels = over_white(array[..., :3], array[..., 3:]) if has_alpha else array
    return Image(cv2.rotate(pixels, getattr(cv2, _TURNS[turn])) if turn in _TURNS else pixels)


def _is_plain(frame: VideoFrame) -> bool:
    even = frame.width % 2 == 0 and frame.height % 2 == 0
    return even and frame.format.name == "yuv420p" and frame.color_range in (0, 1) and frame.colorspace in _BT601
