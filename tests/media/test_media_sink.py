"""Videos keep times and audio, pictures keep their format, nothing half-made gets a final name."""

from __future__ import annotations

from pathlib import Path

from tests.media.media_files import audio_packets, make_video, run_sink, video_times
from visionkit.media.sinks.media import MediaParams, MediaSink
from visionkit.media.sources import open_sources
from visionkit.stage import SinkContext


def convert(path: Path, out: Path, **params: object) -> Path:
    (source,) = open_sources([path])
    (written,) = run_sink(MediaSink(MediaParams(**params)), source, SinkContext(out))
    return written


def test_times_and_audio_are_those_of_the_source(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", frames=40)
    written = convert(clip.path, out)
    assert written == out / "a.mp4"
    assert video_times(written) == clip.times
    assert audio_packets(written) == audio_packets(clip.path)
