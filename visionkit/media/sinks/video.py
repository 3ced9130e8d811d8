"""Writes video files: H.264 that browsers play, times kept exactly, audio copied, readable after a crash."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.errors import SinkError, SourceError
from visionkit.frozen import Frozen
from visionkit.lazy import av, cv2, np
from visionkit.media.containers import reason
from visionkit.media.sinks.audio import AudioWriter, SourceTrack
from visionkit.media.sinks.encoders import ENCODERS, CodecName, Container, Speed, containers
from visionkit.media.sinks.ordinary import ordinary
from visionkit.media.sinks.part import finish, part_of, writing
from visionkit.media.sources.kinds import suffix
from visionkit.stage.source import SourceInfo

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import OutputContainer
    from numpy.typing import NDArray

    from visionkit.data import Image

DEFAULT_BASE = Fraction(1, 90_000)
GROUP_SECONDS = 4  # a killed process loses at most so much
_HYBRID_SINCE = (61, 7)  # libavformat of FFmpeg 7.1


class VideoSettings(Frozen):
    """How videos are encoded."""

    codec: CodecName = "h264"
    speed: Speed = "default"
    quality: int | None = None
    threads: int = 0


def container_for(path: Path) -> Container | None:
    """The container that a file name asks for, None for a name that is no video's."""
    known = containers(av.library_versions["libavformat"][:2] >= _HYBRID_SINCE)
    return known.get(suffix(path.name))


def i420(image: Image) -> VideoFrame:
    """A picture as a 4:2:0 frame; odd sides are padded by repeating the last row or column."""
    pixels = image.native()
    height, width = pixels.shape[:2]
    if width % 2 or height % 2:
        pixels = cv2.copyMakeBorder(pixels, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    return _frame(_gray_i420(pixels) if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_BGR2YUV_I420))


def _gray_i420(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey pixels (H, W) as 4:2:0 (H * 3 / 2, W), as OpenCV converts them when they come as BGR."""
    levels = np.arange(256, dtype=np.uint8).repeat(4).reshape(-1, 2)  # each level a square of its own
    luma = cv2.cvtColor(cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR), cv2.COLOR_BGR2YUV_I420)[:512:2, 0]
    height, width = pixels.shape
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    cv2.LUT(pixels, luma, dst=planes[:height])
    return planes


def _frame(planes: NDArray[np.uint8]) -> VideoFrame:
    """A frame of ``planes`` (H * 3 / 2, W), sharing their memory where PyAV 18 can: heights that four divides."""
    make = av.VideoFrame.from_ndarray if len(planes) % 6 else av.VideoFrame.from_numpy_buffer
    return make(planes, format="yuv420p")


def fitted(image: Image, width: int, height: int) -> VideoFrame:
    """A picture of another size scaled to fit into ``width`` × ``height``, the rest black."""
    scale = min(width / image.width, height / image.height)
    w, h = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    small = cv2.resize(image.bgr(), (w, h), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    full = np.zeros((height, width, 3), np.uint8)
    x, y = (width - w) // 2, (height - h) // 2
    full[y : y + h, x : x + w] = small
    return _frame(cv2.cvtColor(full, cv2.COLOR_BGR2YUV_I420))


class VideoFile:
    """One video file being written, under ``.part`` until :meth:`close`.

    Args:
        path: the final name.
        info: the source, for the nominal frame rate.
        track: the source's clock and audio, None for cameras and sequences.
        begin: pts of the source at which this file begins.
    """

    def __init__(
        self, path: Path, info: SourceInfo, settings: VideoSettings, track: SourceTrack | None, begin: Fraction
    ) -> None:
        self.path, self.settings, self._track = path, settings, track
        self._rate = Fraction(info.fps or 25).limit_denominator(1001)
        self._base = Fraction(1, track.time_base.denominator) if track else DEFAULT_BASE
        self._lead = track.video_start if track else Fraction(0)
        # A whole file keeps its own clock, an excerpt begins at zero.
        self._origin = self._lead + begin if begin or track is None else track.start
        self._last: int | None = None
        self._end = begin
        self._out: OutputContainer | None = None
        self._stream: Any = None
        self._audio: AudioWriter | None = None
        self.failed = False

    def write(self, image: Image, frame: VideoFrame, pts: Fraction) -> None:
        """Append a frame; one of another size is scaled to fit."""
        with self._guarded():
            if self._out is None:
                self._open(frame)
            if (frame.width, frame.height) != (self._stream.width, self._stream.height):
                frame = fitted(image, self._stream.width, self._stream.height)
            if self._stream.pix_fmt != "yuv420p":
                frame = frame.reformat(format=self._stream.pix_fmt)
            tick = round((pts + self._lead - self._origin) / self._base)
            self._last = tick if self._last is None else max(tick, self._last + 1)
            frame.pts, frame.time_base = self._last, self._base
            self._mux(self._stream.encode(frame))
            self._sound(pts + self._lead)
            self._end = pts

    def close(self, whole: bool = True) -> Path | None:
        """Finish the file and give it its name; None if no frame was written, it had failed, or is not whole."""
        if self._out is None:
            return None
        if not self.failed:
            with self._guarded():
                self._mux(self._stream.encode(None))
                self._rest_of_sound()
                self._out.close()
                if whole:
                    finish(self.path)
                return self.path if whole else None
        with suppress(
            OSError, ValueError, av.error.FFmpegError
        ):  # the disk is full: free what FFmpeg holds, keep the playable part
            self._out.close()
        return None

    def _guarded(self) -> _Guard:
        return _Guard(self)

    def _open(self, frame: VideoFrame) -> None:
        container = container_for(self.path)
        if container is None:
            raise SinkError(f"{self.path}: not a video format that can be written")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part = str(part_of(self.path).absolute())  # a relative name with a colon would be taken for a protocol
        self._out = av.open(part, "w", format=container.format, options=dict(container.options))
        self._stream = self._add_stream(self._out, frame.width, frame.height)
        if self._track is not None and self._track.audio is not None:
            self._audio = self._add_audio(self._track, self._out, container)

    def _add_stream(self, out: OutputContainer, width: int, height: int) -> Any:
        encoder = ENCODERS[self.settings.codec]
        if encoder.name not in av.codecs_available:
            raise SinkError(f"{self.path}: this PyAV has no encoder {encoder.name}", help="choose another codec")
        stream: Any = out.add_stream(encoder.name, rate=self._rate)
        stream.width, stream.height, stream.pix_fmt = width, height, encoder.pixels
        stream.options = encoder.options(self.settings.speed, self.settings.quality)
        context = stream.codec_context
        context.time_base = self._base
        if self.settings.codec == "hevc" and self.path.suffix != ".mkv":
            context.codec_tag = "hvc1"  # what Apple's players look for
        context.thread_count = self.settings.threads
        context.gop_size = max(12, round(GROUP_SECONDS * float(self._rate)))
        context.colorspace, context.color_range = 6, 1  # cv2 converts with the BT.601 matrix to limited range
        context.color_primaries, context.color_trc = 1, 1
        if self._track is not None and self._track.aspect:
            context.sample_aspect_ratio = self._track.aspect
        with ordinary():
            context.open(strict=False)
        return stream

    def _add_audio(self, track: SourceTrack, out: OutputContainer, container: Container) -> AudioWriter | None:
        try:
            return AudioWriter(track, out, container, self._origin)
        except (av.error.FFmpegError, ValueError) as error:
            track.report(f"{self.path}: written without audio: {error}")
            return None

    def _mux(self, packets: Any) -> None:
        if self._out is not None:
            self._out.mux(packets)

    def _sound(self, time: Fraction) -> None:
        if self._audio is not None:
            self._audio.copy_until(time)

    def _rest_of_sound(self) -> None:
        """All that follows where the video was written to its end, otherwise up to the end of the last frame."""
        if self._audio is None or self._track is None:
            return
        last = self._end + self._lead
        cut = self._track.video_goes_on(last)
        self._audio.copy_until(last + 1 / self._rate if cut else Fraction(1 << 40))
        self._audio.finish()


class _Guard:
    """Remembers that a file failed, and names the file in the error."""

    def __init__(self, file: VideoFile) -> None:
        self._file = file
        self._writing = writing(file.path)

    def __enter__(self) -> None:
        self._writing.__enter__()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._file.failed = self._file.failed or error is not None
        if isinstance(error, av.error.FFmpegError) and not isinstance(error, OSError):
            raise SinkError(f"{self._file.path}: {reason(error)}") from error
        self._writing.__exit__(kind, error, trace)


def track_of(info: SourceInfo, report: Callable[[str], None]) -> SourceTrack | None:
    """The clock and audio of a source that is a video file; None for everything else. ``report`` hears what is lost."""
    if info.kind != "video" or not info.path or not Path(info.path).is_file():
        return None
    try:
        return SourceTrack(info.path, report)
    except SourceError:
        return None


def settings_from(params: Any, run: Mapping[str, Any]) -> VideoSettings:
    """The settings of an output, ``codec`` and ``threads`` of the run where the output says nothing."""
    codec: CodecName = params.codec or run.get("codec") or "h264"
    return VideoSettings(codec, params.speed, params.quality, int(run.get("threads", 0)))
