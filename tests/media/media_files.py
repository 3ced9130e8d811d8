"""Small real files, made here by the libraries that users' files come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from visionkit.data import ABSENT, Failure, Image, Key, Packet
from visionkit.errors import VisionkitError
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.stage import Frame, Sink, SinkContext, Source

VFR = (3003, 1500, 9000)  # ticks of 1/90000 s between frames: nothing regular


@dataclass(frozen=True)
class Clip:
    """What a test video holds: ``ticks`` are the pts of its frames, in units of ``base``."""

    path: Path
    ticks: tuple[int, ...]
    base: Fraction = Fraction(1, 90_000)

    @property
    def times(self) -> list[Fraction]:
        return [tick * self.base for tick in self.ticks]


def photo(width: int = 64, height: int = 48, seed: int = 0) -> np.ndarray:
    """A smooth colourful picture (H, W, 3) BGR."""
    noise = np.random.default_rng(seed).integers(0, 255, (4, 5, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def make_video(
    path: Path,
    frames: int = 30,
    size: tuple[int, int] = (64, 48),
    audio: str | None = "aac",
    codec: str = "libx264",
    ticks: Sequence[int] = VFR,
    base: Fraction = Fraction(1, 90_000),
    options: dict[str, str] | None = None,
    seconds: float | None = None,
) -> Clip:
    """A video whose brightness tells the frame number, with a tone of ``seconds`` (the video's length if None)."""
    with av.open(str(path), "w", options=options or {}) as out:
        video: Any = out.add_stream(codec, rate=30)
        video.width, video.height, video.pix_fmt = *size, "yuv420p"
        video.codec_context.time_base = base
        tone: Any = None
        if audio:
            tone = out.add_stream(audio, rate=48_000)
            tone.layout = "mono"
        pts = [sum(ticks[i % len(ticks)] for i in range(n)) for n in range(frames)]
        for number, tick in enumerate(pts):
            picture = np.full((size[1], size[0], 3), 20 + number * 7 % 200, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = tick, base
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        if tone is not None:
            add_tone(out, tone, seconds if seconds is not None else float(pts[-1] * base) + 1 / 30)
    return Clip(path, tuple(pts), base)


def add_tone(out: Any, tone: Any, seconds: float) -> None:
    samples = (np.sin(np.arange(int(48_000 * seconds)) * 0.06) * 9000).astype(np.int16)[None]
    for start in range(0, samples.shape[1], 960):
        frame = av.AudioFrame.from_ndarray(samples[:, start : start + 960], "s16", "mono")
        frame.sample_rate, frame.pts = 48_000, start
        out.mux(tone.encode(frame))
    out.mux(tone.encode(None))


def video_times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def playable_times(path: Path) -> list[Fraction]:
    """The times of a file whose writer was killed: what a player shows before the torn packet at the end."""
    times: list[Fraction] = []
    with av.open(str(path)) as container, suppress(av.error.InvalidDataError):
        times.extend(frame.pts * frame.time_base for frame in container.decode(video=0))
    return times


def audio_packets(path: Path) -> list[tuple[int, bytes]]:
    with av.open(str(path)) as container:
        return [(p.pts, bytes(p)) for p in container.demux(container.streams.audio[0]) if p.size]


def frames_of(*inputs: Any, **options: Any) -> list[Frame]:
    """All frames of one lane."""
    (source,) = open_sources(inputs, SourceOptions(**options))
    return list(source.frames())


Process = Callable[[Image, int], Image]


def packet_of(frame: Frame, draw: Process | None = None) -> Packet:
    """What an engine makes of a frame; ``draw`` is the pipeline."""
    key = Key(frame.info.name, frame.session, frame.index)
    try:
        image = frame.load()
    except VisionkitError as error:
        return Packet(key, frame.pts, frame.info.path, {}, Failure("source", error.code, error.message))
    picture = ABSENT if draw is None else draw(image, frame.index)
    return Packet(key, frame.pts, frame.info.path, {"source": image, "picture": picture})


def run_sink(sink: Sink[Any], source: Source, context: SinkContext, draw: Process | None = None) -> list[Path]:
    """Drives a sink as the engine does, in one thread."""
    sink.check(context, source.infos or ())
    sink.open(context)
    last = None
    for frame in source.frames():
        if last is not None and last.name != frame.info.name:
            sink.end(last)
        last = frame.info
        packet = packet_of(frame, draw)
        sink.write(packet, frame.info, sink.prepare(packet, frame.info))
    if last is not None:
        sink.end(last)
    return sink.close(False)
