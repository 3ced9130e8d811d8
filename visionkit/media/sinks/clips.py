"""Encodes a camera once and cuts files out of it at key frames, also out of what came before it was asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from visionkit.errors import SinkError
from visionkit.lazy import av
from visionkit.media.containers import reason
from visionkit.media.sinks.encoders import RECORDER
from visionkit.media.sinks.part import finish, part_of, writing
from visionkit.media.sinks.retention import Retention, stamped
from visionkit.media.sinks.video import DEFAULT_BASE, VideoSettings, container_for

if TYPE_CHECKING:
    from av import VideoFrame

GROUP = 2
"""Seconds between two key frames: what a pre-roll may be too long."""


class Coded(NamedTuple):
    """An encoded frame: its time on the source's clock, whether files may begin with it, the data."""

    pts: Fraction
    key: bool
    data: bytes


class Timing(NamedTuple):
    """Seconds of a file, of the source before a clip's cause, and after it."""

    length: Fraction
    before: Fraction
    after: Fraction


class Encoder:
    """H.264 frame by frame: every frame comes out as it goes in, and a key frame whenever one is asked for."""

    def __init__(self, frame: VideoFrame, settings: VideoSettings) -> None:
        if RECORDER.name not in av.codecs_available:
            raise SinkError(f"record: this PyAV has no encoder {RECORDER.name}")
        context: Any = av.CodecContext.create(RECORDER.name, "w")
        context.width, context.height, context.pix_fmt = frame.width, frame.height, RECORDER.pixels
        context.time_base, context.framerate = DEFAULT_BASE, Fraction(25)
        context.options = RECORDER.options(settings.speed, settings.quality)
        context.gop_size = 1 << 20  # key frames are ours to place
        context.thread_count = settings.threads
        context.colorspace, context.color_range = 6, 1  # cv2 converts with the BT.601 matrix to limited range
        context.color_primaries, context.color_trc = 1, 1
        self._context, self._last = context, -1
        self.size = (frame.width, frame.height)

    def encode(self, frame: VideoFrame, pts: Fraction, key: bool) -> list[Coded]:
        self._last = frame.pts = max(round(pts / DEFAULT_BASE), self._last + 1)
        frame.time_base = DEFAULT_BASE
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        try:
            found = self._context.encode(frame)
        except av.error.FFmpegError as error:
            raise SinkError(f"record: a frame cannot be encoded: {reason(error)}") from error
        return [Coded(packet.pts * DEFAULT_BASE, packet.is_keyframe, bytes(packet)) for packet in found]


class Segment:
    """One file being written under ``.part``, readable up to its last key frame if the process is killed."""

    def __init__(self, path: Path, size: tuple[int, int], begin: Fraction) -> None:
        self.path, self.begin = path, begin
        container = container_for(path)
        assert container is not None
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            part = str(part_of(path).absolute())
            self._out = av.open(part, "w", format=container.format, options=dict(container.options))
            self._stream: Any = self._out.add_mux_stream(
                "h264", rate=25, width=size[0], height=size[1], time_base=DEFAULT_BASE
            )

    def write(self, coded: Coded) -> None:
        packet: Any = av.Packet(coded.data)
        packet.pts = packet.dts = round((coded.pts - self.begin) / DEFAULT_BASE)
        packet.time_base, packet.is_keyframe, packet.stream = DEFAULT_BASE, coded.key, self._stream
        self._guarded(lambda: self._out.mux(packet))

    def close(self) -> None:
        self._guarded(self._out.close)
        finish(self.path)

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            with writing(self.path):
                act()
        except SinkError:
            with suppress(OSError, ValueError, av.error.FFmpegError):
                self._out.close()
            raise
        except av.error.FFmpegError as error:
            raise SinkError(f"{self.path}: {reason(error)}") from error


class Recorder:
    """The files of one source.

    Args:
        wall: seconds since 1970, for the names of files.
    """

    def __init__(
        self, folder: Path, settings: VideoSettings, timing: Timing, keep: Retention, wall: Callable[[], float]
    ) -> None:
        self._folder, self._settings, self._timing, self._keep, self._wall = folder, settings, timing, keep, wall
        self._encoder: Encoder | None = None
        self._file: Segment | None = None
        self._kept: deque[Coded] = deque()
        self._session = 0
        self._key: Fraction | None = None
        self._until: Fraction | None = None

    def write(self, frame: VideoFrame, pts: Fraction, session: int, wanted: bool) -> None:
        """Take a frame; ``wanted`` says that it, and what lies around it, belongs to a file."""
        if self._encoder is not None and (session, self._encoder.size) != (self._session, (frame.width, frame.height)):
            self.cut()
        if self._encoder is None:
            self._encoder, self._session = Encoder(frame, self._settings), session
        if wanted:
            self._until = pts + self._timing.after
        for coded in self._encoder.encode(frame, pts, self._key_due(pts)):
            self._key = coded.pts if coded.key else self._key
            self._take(coded)

    def cut(self) -> None:
        """What comes next is another recording."""
        self._close()
        self._encoder = self._key = self._until = None
        self._kept.clear()

    def _key_due(self, pts: Fraction) -> bool:
        if self._key is None or pts - self._key >= GROUP:
            return True
        return self._file is not None and pts - self._file.begin >= self._timing.length

    def _take(self, coded: Coded) -> None:
        if self._file is not None and self._is_over(coded):
            self._close()
            self._key = coded.pts if coded.key else None  # the next file begins with a key frame
        if self._until is not None and coded.pts <= self._until:
            self._kept.append(coded)
            self._flush()
        elif self._file is None:
            self._keep_some(coded)

    def _is_over(self, coded: Coded) -> bool:
        assert self._file is not None
        ended = self._until is None or coded.pts > self._until
        return ended or (coded.key and coded.pts - self._file.begin >= self._timing.length)

    def _flush(self) -> None:
        """All that is kept goes into the file, from its first key frame on."""
        while self._kept:
            coded = self._kept.popleft()
            if self._file is None and coded.key:
                path = stamped(self._folder, self._wall() - float(self._latest(coded) - coded.pts))
                self._file = Segment(path, self._encoder.size, coded.pts)  # type: ignore[union-attr]
            if self._file is not None:
                self._file.write(coded)

    def _latest(self, coded: Coded) -> Fraction:
        return self._kept[-1].pts if self._kept else coded.pts

    def _keep_some(self, coded: Coded) -> None:
        """Keep ``before`` seconds, from a key frame on."""
        self._kept.append(coded)
        while (second := self._second_key()) and self._kept[second].pts <= coded.pts - self._timing.before:
            for _ in range(second):
                self._kept.popleft()

    def _second_key(self) -> int:
        """Where the second group of what is kept begins, 0 if there is none."""
        return next((i for i, kept in enumerate(self._kept) if i and kept.key), 0)

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
            self._keep.apply(self._wall())
