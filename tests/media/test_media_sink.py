"""Videos keep times and audio, pictures keep their format, and each has its place."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from tests.media.media_files import audio_packets, make_video, photo, run_sink, video_times
from visionkit.data import ABSENT, Failure, Image, Key, Packet
from visionkit.errors import SinkError
from visionkit.media.sinks.encoders import ENCODERS
from visionkit.media.sinks.media import MediaParams, MediaSink
from visionkit.media.sinks.video import i420
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.stage import SinkContext, SourceInfo


def convert(
    given: Path, out: Path, draw: Any = None, options: SourceOptions | None = None, **params: Any
) -> list[Path]:
    (source,) = open_sources([given], options or SourceOptions())
    return run_sink(MediaSink(MediaParams(**params)), source, SinkContext(out), draw)


def stream_of(path: Path) -> Any:
    with av.open(str(path)) as container:
        return container.streams.video[0].codec_context


# --- times and audio


def test_times_and_audio_are_those_of_the_source(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", frames=40)
    (written,) = convert(clip.path, out)
    assert written == out / "a.mp4"
    assert video_times(written) == clip.times
    assert audio_packets(written) == audio_packets(clip.path)
    assert not list(out.glob("*.part"))


def test_audio_longer_than_the_video_is_whole(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", frames=10, seconds=3)
    (written,) = convert(clip.path, out)
    assert audio_packets(written) == audio_packets(clip.path)


@pytest.mark.parametrize(
    ("name", "audio"), [("a.mkv", "aac"), ("a.mkv", "libopus"), ("a.mov", "aac"), ("a.mp4", "libmp3lame")]
)
def test_audio_is_copied_between_containers(tmp_path: Path, out: Path, name: str, audio: str) -> None:
    clip = make_video(tmp_path / name, frames=20, base=Fraction(1, 1000), ticks=(33, 20, 90), audio=audio)
    (written,) = convert(clip.path, out)
    assert written.suffix == ".mp4"
    assert video_times(written) == clip.times
    assert [data for _, data in audio_packets(written)] == [data for _, data in audio_packets(clip.path)]


def test_audio_that_does_not_fit_is_encoded(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mov", frames=30, audio="pcm_s16le")
    (written,) = convert(clip.path, out)
    with av.open(str(written)) as container:
        stream = container.streams.audio[0]
        samples = np.concatenate([f.to_ndarray() for f in container.decode(stream)], axis=1)
        assert stream.codec_context.name == "aac"
    seconds = float(clip.times[-1]) + 1 / 30
    assert abs(samples.shape[1] / 48_000 - seconds) < 0.06
    assert np.abs(samples).max() > 0.2


def test_an_excerpt_begins_at_zero_with_its_sound(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", frames=60)
    (written,) = convert(clip.path, out, options=SourceOptions(from_=0.5, to=1.5))
    times = [t for t in clip.times if 0.5 <= t < 1.5]
    assert video_times(written) == [t - times[0] for t in times]
    sound = [pts for pts, _ in audio_packets(written)]
    whole = {data for _, data in audio_packets(clip.path)}
    assert {data for _, data in audio_packets(written)} <= whole
    assert 0 <= sound[0] < 1024
    assert 0.9 < (sound[-1] - sound[0]) / 48_000 < 1.2


def test_a_limited_run_has_no_sound_after_its_last_frame(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", frames=60)
    (written,) = convert(clip.path, out, options=SourceOptions(limit=20))
    assert audio_packets(written)[-1][0] / 48_000 < clip.times[20] + 0.05


def test_a_stream_that_starts_late(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.ts", frames=20)
    (written,) = convert(clip.path, out)
    source, got = video_times(clip.path), video_times(written)
    assert [t - got[0] for t in got] == [t - source[0] for t in source]
    data = [data for _, data in audio_packets(written)]
    assert len(data) == len(audio_packets(clip.path))
    with av.open(str(clip.path)) as a, av.open(str(written)) as b:
        lag = [
            c.streams.audio[0].start_time * c.streams.audio[0].time_base - t for c, t in ((a, source[0]), (b, got[0]))
        ]
    assert abs(lag[0] - lag[1]) < Fraction(1, 1000)


# --- the picture


def test_plays_in_a_browser(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.avi", 10, codec="mpeg4", audio=None, base=Fraction(1, 25), ticks=(1,))
    (written,) = convert(clip.path, out)
    context = stream_of(written)
    assert (written.suffix, context.name, context.pix_fmt) == (".mp4", "h264", "yuv420p")
    assert video_times(written) == clip.times


def test_what_was_drawn_is_in_the_video(tmp_path: Path, out: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", 8, audio=None)
    picture = photo()
    (written,) = convert(clip.path, out, lambda image, index: image.annotated(picture), quality=95)
    with av.open(str(written)) as container:
        for frame in container.decode(video=0):
            assert np.abs(frame.to_ndarray(format="bgr24").astype(int) - picture).mean() < 6


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (63, 48), (1, 1)])
def test_odd_sizes_are_padded(tmp_path: Path, out: Path, size: tuple[int, int]) -> None:
    clip = make_video(tmp_path / "a.mp4", 4, audio=None)
    picture = photo(*size)
    (written,) = convert(clip.path, out, lambda image, index: Image(picture), quality=95)
    context = stream_of(written)
    assert (context.width, context.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    with av.open(str(written)) as container:
        got = next(container.decode(video=0)).to_ndarray(format="bgr24")[: size[1], : size[0]]
    assert np.abs(got.astype(int) - picture).mean() < 8


@pytest.mark.parametrize("size", [(64, 48), (64, 46), (63, 47)])
def test_a_grey_picture_is_encoded_as_its_three_equal_channels_would_be(size: tuple[int, int]) -> None:
    levels = cv2.resize(np.arange(256, dtype=np.uint8).reshape(16, 16), size)
    channels = cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR)
    grey, bgr = i420(Image(levels, "gray")), i420(Image(channels))
    assert np.array_equal(grey.to_ndarray(), bgr.to_ndarray())
    assert (grey.width, grey.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)


def test_a_picture_of_another_size_is_fitted(tmp_path: Path, out: Path) -> None:
    """As where a tombstone shows the bare frame beside scaled pictures."""
    clip = make_video(tmp_path / "a.mp4", 6, audio=None)
    white = np.full((48, 48, 3), 255, np.uint8)
    (written,) = convert(clip.path, out, lambda image, index: Image(white) if index == 3 else image)
    with av.open(str(written)) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    assert len(frames) == 6
    assert frames[3][24, 32].min() > 230
    assert frames[3][24, 2].max() < 30


def test_absent_and_failed_packets_show_the_bare_frame(out: Path) -> None:
    sink = MediaSink(MediaParams())
    info = SourceInfo("a", "video", fps=25.0, relpath="a.mp4")
    sink.open(SinkContext(out))
    bare, drawn = (Image(np.full((48, 64, 3), shade, np.uint8)) for shade in (50, 200))
    packets = [
        {"source": bare, "picture": drawn},
        {"source": bare, "picture": ABSENT},
        {"source": bare},
        {},  # the source could not decode it: nothing to show
    ]
    for i, values in enumerate(packets):
        failure = None if "picture" in values else Failure("s", "VK340", "x")
        packet = Packet(Key("a", 0, i), Fraction(i, 25), None, values, failure)
        sink.write(packet, info, sink.prepare(packet, info))
    sink.end(info)
    (written,) = sink.close(False)
    with av.open(str(written)) as container:
        shades = [frame.to_ndarray(format="bgr24").mean() for frame in container.decode(video=0)]
    assert shades == pytest.approx([200, 50, 50], abs=4)


def test_a_new_session_is_a_new_file(tmp_path: Path, out: Path) -> None:
    parts = [make_video(tmp_path / f"{i}.ts", 10, size) for i, size in enumerate([(64, 48), (32, 80)])]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.path.read_bytes() for part in parts))
    first, second = convert(path, out)
    assert [p.name for p in (first, second)] == ["both.mp4", "both.2.mp4"]
    assert (stream_of(first).width, stream_of(second).width) == (64, 32)
    assert video_times(second)[0] == 0
    assert len(video_times(first)) + len(video_times(second)) == 20


@pytest.mark.parametrize("codec", sorted(ENCODERS))
def test_every_codec(tmp_path: Path, out: Path, codec: str) -> None:
    clip = make_video(tmp_path / "a.mp4", 6, size=(128, 96))
    (written,) = convert(clip.path, out, codec=codec, speed="fast")
    assert video_times(written) == clip.times
    assert stream_of(written).codec.canonical_name == codec
    assert codec != "hevc" or stream_of(written).codec_tag == "hvc1"


@pytest.mark.parametrize(
    ("path", "codec", "name"),
    [
        ("{source.stem}.mkv", "h264", "a.mkv"),
        ("{source.stem}.webm", "vp9", "a.webm"),
        ("{source.stem}.webm", "h264", "a.mp4"),
        ("{source.stem}.png", "h264", "a.mp4"),
        ("x/{source.kind}", "h264", "x/video.mp4"),
    ],
)
def test_the_extension_written_in_the_path(tmp_path: Path, out: Path, path: str, codec: str, name: str) -> None:
    clip = make_video(tmp_path / "a.mp4", 5, base=Fraction(1, 1000), ticks=(40,))
    (written,) = convert(clip.path, out, path=path, codec=codec)
    assert written == out / name
    first = video_times(written)[0]  # Matroska has no negative times: the lead-in of AAC moves all by 21 ms
    assert [t - first for t in video_times(written)] == clip.times
    assert first == (Fraction(21, 1000) if name == "a.mkv" else 0)


def test_colours_survive_the_way_there_and_back(tmp_path: Path, out: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32], picture[:, 32:] = (30, 60, 220), (200, 180, 40)
    clip = make_video(tmp_path / "a.mp4", 4, audio=None)
    (written,) = convert(clip.path, out, lambda image, index: Image(picture), quality=100)
    capture = cv2.VideoCapture(str(written))
    got = capture.read()[1]
    capture.release()
    for x in (16, 48):
        assert np.abs(got[24, x].astype(int) - picture[24, x]).max() <= 5
    assert stream_of(written).colorspace == 6
    assert stream_of(written).color_range == 1


# --- pictures


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("a.jpg", "a.jpg"),
        ("a.PNG", "a.PNG"),
        ("ä b.webp", "ä b.webp"),
        ("a.tif", "a.tif"),
        ("a.bmp", "a.bmp"),
        ("a.v2.jpeg", "a.v2.jpeg"),
        ("a.jpe", "a.png"),
    ],
)
def test_pictures_keep_their_format(tmp_path: Path, out: Path, name: str, written: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / name).write_bytes(bytes(cv2.imencode(".jpg", photo())[1]))
    assert [p.relative_to(out).as_posix() for p in convert(tmp_path / "in", out)] == [written]
    got = cv2.imread(str(out / written))
    want = cv2.imread(str(tmp_path / "in" / name))
    assert np.abs(got.astype(int) - want).mean() < 3
    assert len(list(out.iterdir())) == 1


def test_the_tree_is_mirrored_and_jpeg_is_of_quality_95(tmp_path: Path, out: Path) -> None:
    (tmp_path / "in/x/y").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "in/x/y/a.jpg"), photo())
    convert(tmp_path / "in", out, lambda image, index: Image(photo(seed=3)))
    want = cv2.imencode(".jpg", photo(seed=3), [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
    assert (out / "x/y/a.jpg").read_bytes() == bytes(want)


def test_gray_pictures_stay_gray(tmp_path: Path, out: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo()[..., 0])
    convert(tmp_path / "a.png", out)
    assert cv2.imread(str(out / "a.png"), cv2.IMREAD_UNCHANGED).ndim == 2


def test_many_pictures_are_named_by_their_folder(tmp_path: Path, out: Path) -> None:
    (tmp_path / "in").mkdir()
    for i in range(25):
        cv2.imwrite(str(tmp_path / "in" / f"{i}.png"), photo(4, 4))
    assert convert(tmp_path / "in", out) == [out]
    assert len(list(out.iterdir())) == 25


def test_a_picture_the_format_cannot_hold(tmp_path: Path, out: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.webp"), photo())
    with pytest.raises(SinkError, match="cannot be written"):
        convert(tmp_path / "a.webp", out, lambda image, index: Image(np.zeros((1, 17_000, 3), np.uint8)))
    assert not out.exists() or not list(out.iterdir())


# --- places


def test_colliding_outputs_are_refused(tmp_path: Path, out: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "a.heic"):
        cv2.imencode(".png", photo())[1].tofile(tmp_path / "in" / name)
    with pytest.raises(SinkError, match="collide") as caught:
        convert(tmp_path / "in", out)
    assert "a.png" in caught.value.message
    assert "{source.ext}" in caught.value.help


def test_existing_results_need_overwrite(tmp_path: Path, out: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo())
    convert(tmp_path / "a.png", out)
    with pytest.raises(SinkError, match="already") as caught:
        convert(tmp_path / "a.png", out)
    assert "--overwrite" in caught.value.help
    (source,) = open_sources([tmp_path / "a.png"])
    run_sink(MediaSink(MediaParams()), source, SinkContext(out, overwrite=True))


def test_an_input_is_never_overwritten(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo())
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    for folder in (tmp_path, tmp_path / "link"):
        (source,) = open_sources([tmp_path / "a.png"])
        with pytest.raises(SinkError, match="overwrite an input"):
            run_sink(MediaSink(MediaParams()), source, SinkContext(folder, overwrite=True))


@pytest.mark.parametrize(
    "path", ["../{source.stem}", "x/../../{source.stem}", "/etc/{source.stem}", "C:{source.stem}", "..\\{source.stem}"]
)
def test_paths_that_leave_the_folder_are_refused(tmp_path: Path, out: Path, path: str) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo())
    with pytest.raises(ValidationError, match="leads out"):
        convert(tmp_path / "a.png", out, path=path)


def test_a_source_without_a_folder(tmp_path: Path, out: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo())
    assert convert(tmp_path / "a.png", out, path="{source.folder}/{source.stem}_{source.ext}") == [out / "a_png.png"]
