"""Copies the audio of a source file into an output, packet by packet; only what does not fit is encoded anew."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from visionkit.errors import SourceError
from visionkit.lazy import av
from visionkit.media.containers import Continuous, best_video, open_local, reason, start_of
from visionkit.media.sinks.encoders import Container

if TYPE_CHECKING:
    from av.container import OutputContainer

log = logging.getLogger(__name__)


class SourceTrack:
    """The clock and the audio of a source file, read alongside while its video is written.

    Attributes:
        time_base: of its video: every pts is a multiple of it.
        video_start: where its video begins on its own clock.
        start: where the file begins on its own clock.
        aspect: width of a pixel by its height.
    """

    def __init__(self, path: str, report: Callable[[str], None] = log.warning) -> None:
        self.path, self.report = path, report
        self._container = open_local(path)
        try:
            video = best_video(self._container, path)
        except SourceError:
            self._container.close()
            raise
        self.time_base = video.time_base or Fraction(1, 90_000)
        self.video_start = start_of(video)
        self.start = Fraction(self._container.start_time or 0, 1_000_000)
        self.aspect = video.sample_aspect_ratio
        audio: Any = self._container.streams.best("audio")
        self.audio = audio if audio is not None and audio.codec_context is not None else None
        self._streams = [s for s in (video, self.audio) if s is not None]
        self._waiting: Any = None
        self._packets: Iterator[Any] | None = None
        self.video_seen = Fraction(-1)

    def begin(self, time: Fraction) -> None:
        """Go to ``time`` on the file's own clock, if nothing was read yet."""
        if self._packets is None and time > self.start:
            try:
                self._container.seek(int(time * 1_000_000))
            except av.error.FFmpegError:
                log.debug("no seeking for audio")
        self._packets = self._packets or self._demuxed()

    def until(self, time: Fraction) -> Iterator[Any]:
        """Audio packets that begin before ``time``; the next one waits."""
        while (packet := self._next()) is not None and packet.pts * packet.time_base < time:
            self._waiting = None
            yield packet

    def video_goes_on(self, time: Fraction) -> bool:
        """True if a frame of the video lies after ``time``: the run stopped before the end of the file."""
        kept = []
        while self.video_seen <= time and (packet := self._next()) is not None:
            kept.append(packet)
            self._waiting = None
        later = self.video_seen > time
        if kept:
            rest = self._packets or iter(())
            self._packets = (p for group in (kept, rest) for p in group)
        return later

    def close(self) -> None:
        self._container.close()

    def _next(self) -> Any:
        if self._waiting is None and self._packets is not None:
            self._waiting = next(self._packets, None)
        return self._waiting

    def _demuxed(self) -> Iterator[Any]:
        heard, seen = Continuous(Fraction(1, 50)), Continuous(Fraction(1, 25))
        try:
            for packet in self._container.demux(self._streams):
                if packet.pts is None or not packet.size:
                    continue
                time = packet.pts * packet.time_base
                if packet.stream is not self.audio:
                    seen(time if packet.dts is None else packet.dts * packet.time_base)  # pts are not in order
                    self.video_seen = max(self.video_seen, time + seen.offset)
                    continue
                if heard(time) != time:
                    shifted(packet, heard.offset)
                yield packet
        except av.error.FFmpegError as error:
            self.report(f"{self.path}: its audio could be read in part only: {reason(error)}")


class AudioWriter:
    """Writes the audio of ``track`` into ``out``, shifted so that ``origin`` on the source's clock becomes zero."""

    def __init__(self, track: SourceTrack, out: OutputContainer, container: Container, origin: Fraction) -> None:
        self._track, self._out, self._origin = track, out, origin
        self._last: int | None = None
        source: Any = track.audio
        codec = source.codec_context.codec.canonical_name
        self._copies = codec in container.audio
        # AAC of broadcasts carries its own headers, files want them once
        bare = codec == "aac" and not source.codec_context.extradata
        self._filter = av.bitstream.BitStreamFilterContext("aac_adtstoasc", source) if bare else None
        if self._copies:
            self._stream: Any = out.add_stream_from_template(source)
        else:
            self._stream = out.add_stream(container.fallback, rate=_rate(container.fallback, source))
            self._stream.layout = "mono" if source.codec_context.channels == 1 else "stereo"
        track.begin(origin)

    def copy_until(self, time: Fraction) -> None:
        """Write what is heard before ``time`` on the source's clock."""
        for packet in self._track.until(time):
            if packet.pts * packet.time_base < self._origin and self._origin > self._track.start:
                continue
            self._copy(packet) if self._copies else self._encode(packet)

    def finish(self) -> None:
        """Write what the encoder still holds."""
        if not self._copies:
            for packet in self._stream.encode(None):
                self._out.mux(packet)

    def _copy(self, packet: Any) -> None:
        shifted(packet, -self._origin)
        if self._last is not None and packet.pts <= self._last:  # no container takes times that do not grow
            return
        self._last = packet.pts
        for copied in self._filter.filter(packet) if self._filter else [packet]:
            copied.stream = self._stream
            self._out.mux(copied)

    def _encode(self, packet: Any) -> None:
        try:
            frames = packet.decode()
        except av.error.FFmpegError as error:
            self._track.report(f"{self._track.path}: some of its audio was left out: {reason(error)}")
            return
        for frame in frames:
            if frame.pts is not None:
                frame.pts -= round(self._origin / frame.time_base)
            for encoded in self._stream.encode(frame):
                self._out.mux(encoded)


def shifted(packet: Any, seconds: Fraction) -> None:
    """Moves a packet in time."""
    ticks = round(seconds / packet.time_base)
    packet.pts += ticks
    if packet.dts is not None:
        packet.dts += ticks


def _rate(encoder: str, source: Any) -> int:
    """Opus knows few sample rates, AAC those up to 96 kHz."""
    return 48_000 if encoder == "libopus" else min(int(source.codec_context.sample_rate or 48_000), 96_000)
