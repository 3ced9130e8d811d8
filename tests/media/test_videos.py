"""Videos come in with exact times, upright, in the right colours, and past their broken parts."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.media.media_files import Clip, frames_of, make_video, photo, video_times
from visionkit.errors import SourceError


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    return make_video(tmp_path_factory.mktemp("videos") / "vfr.mp4", frames=30)


def test_times_are_exact_where_the_rate_varies(clip: Clip) -> None:
    frames = frames_of(clip.path)
    assert [frame.pts for frame in frames] == clip.times
    assert [frame.index for frame in frames] == list(range(30))
    info = frames[0].info
    assert (info.kind, info.width, info.height, info.audio, info.frames) == ("video", 64, 48, True, 30)
    assert {frame.session for frame in frames} == {0}


def test_frames_are_the_right_ones(clip: Clip) -> None:
    for frame in frames_of(clip.path):
        assert abs(frame.load().gray().mean() - (20 + frame.index * 7 % 200)) < 4


def test_only_what_lies_between(clip: Clip) -> None:
    got = frames_of(clip.path, from_=0.2, to=1.0)
    assert [frame.pts for frame in got] == [t for t in clip.times if Fraction(1, 5) <= t < 1]
    assert [frame.index for frame in got] == list(range(len(got)))
    shade = 20 + clip.times.index(got[0].pts or Fraction(0)) * 7 % 200
    assert abs(got[0].load().gray().mean() - shade) < 4
    assert len(frames_of(clip.path, limit=7)) == 7


def test_an_excerpt_beyond_the_end_says_so(clip: Clip) -> None:
    (frame,) = frames_of(clip.path, from_=100)
    with pytest.raises(SourceError, match="no frames lie between"):
        frame.load()


def test_fewer_frames_a_second(clip: Clip) -> None:
    got = [frame.pts for frame in frames_of(clip.path, fps=5)]
    slots = [int(t * 5) for t in got if t is not None]
    assert slots == sorted({int(t * 5) for t in clip.times})
    assert set(got) <= set(clip.times)


@pytest.mark.parametrize("angle", [90, 180, -90])
def test_rotated_as_players_show_it(tmp_path: Path, angle: int) -> None:
    path = tmp_path / "r.mp4"
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        video.set_display_rotation(angle)
        frame = av.VideoFrame.from_ndarray(photo(), "bgr24")
        frame.pts = 0
        out.mux([*video.encode(frame), *video.encode(None)])
    (got,) = frames_of(path)
    capture = cv2.VideoCapture(str(path))
    want = capture.read()[1]
    capture.release()
    image = got.load()
    assert (got.info.width, got.info.height) == (image.width, image.height) == want.shape[1::-1]
    assert np.abs(image.bgr().astype(int) - want).mean() < 3


# matrix, range, pixel format: BT.709, BT.601, unspecified, full range, ten bits, no subsampling, odd
COLOURS = [
    (1, 1, "yuv420p", (64, 48)),
    (5, 1, "yuv420p", (64, 48)),
    (2, 0, "yuv420p", (64, 48)),
    (1, 2, "yuv420p", (64, 48)),
    (6, 2, "yuvj420p", (64, 48)),
    (9, 1, "yuv420p10le", (64, 48)),
    (2, 0, "yuv444p", (64, 48)),
    (2, 0, "yuv444p", (63, 47)),
]


@pytest.mark.parametrize(("matrix", "range_", "pixels", "size"), COLOURS)
def test_colours(tmp_path: Path, matrix: int, range_: int, pixels: str, size: tuple[int, int]) -> None:
    """Two flat halves, so that chroma subsampling plays no part."""
    picture = np.zeros((size[1], size[0], 3), np.uint8)
    picture[:, : size[0] // 2], picture[:, size[0] // 2 :] = (30, 60, 220), (200, 180, 40)
    path = tmp_path / "c.mp4"
    with av.open(str(path), "w") as out:
        video: Any = out.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt, video.options = *size, pixels, {"crf": "1"}
        video.codec_context.colorspace, video.codec_context.color_range = matrix, range_
        frame = av.VideoFrame.from_ndarray(picture, "bgr24").reformat(
            format=pixels, dst_colorspace=5 if matrix == 2 else matrix, dst_color_range=range_ or 1
        )
        frame.pts = 0
        out.mux([*video.encode(frame), *video.encode(None)])
    got = frames_of(path)[0].load().bgr()
    assert got.shape == picture.shape
    middle = size[1] // 2
    for x in (size[0] // 4, size[0] * 3 // 4):
        assert np.abs(got[middle, x].astype(int) - picture[middle, x]).max() <= 4, (got[middle, x], picture[middle, x])


def test_usual_frames_stay_yuv_until_asked(clip: Clip) -> None:
    image = frames_of(clip.path)[5].load()
    assert image.order == "i420"
    with av.open(str(clip.path)) as container:
        want = list(container.decode(video=0))[5].to_ndarray(format="bgr24")
    assert np.abs(image.bgr().astype(int) - want).max() <= 3


def test_broken_packets_are_tombstones_and_the_rest_comes(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.mp4", frames=60, audio=None, options={"movflags": "faststart"})
    data = bytearray(clip.path.read_bytes())
    start = data.index(b"mdat")
    with av.open(str(clip.path)) as container:
        places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    assert places[0][0] > start
    for position, size in places[20:24]:
        data[position : position + size] = bytes(size)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data)
    frames = frames_of(broken)
    good, bad = [], []
    for frame in frames:
        try:
            frame.load()
            good.append(frame)
        except SourceError as error:
            bad.append(error)
    assert len(bad) >= 1
    assert len(good) >= 45
    assert "frame" in bad[0].message
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert {frame.pts for frame in good} <= set(clip.times)


def test_a_cut_off_file(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.mkv", frames=60, audio=None)
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(clip.path.read_bytes()[:-600])
    frames = frames_of(cut)
    assert 20 < len(frames) <= 61
    frames[0].load()


@pytest.mark.parametrize("content", [b"", b"no video", bytes(4000)])
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content)
    (frame,) = frames_of(path)
    with pytest.raises(SourceError, match=r"empty|not a video"):
        frame.load()


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        tone: Any = out.add_stream("aac", rate=48_000)
        tone.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4800), np.int16), "s16", "mono")
        frame.sample_rate = 48_000
        out.mux([*tone.encode(frame), *tone.encode(None)])
    (frame,) = frames_of(path)
    with pytest.raises(SourceError, match="no video in this file"):
        frame.load()


def test_another_size_begins_a_new_session(tmp_path: Path) -> None:
    parts = [make_video(tmp_path / f"{i}.ts", 5, size, None) for i, size in enumerate([(64, 48), (32, 80)])]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.path.read_bytes() for part in parts))
    frames = frames_of(path)
    sizes = [(frame.session, frame.load().canvas.size) for frame in frames]
    assert sorted(set(sizes)) == [(0, (64, 48)), (1, (32, 80))]
    assert len({id(frame.info) for frame in frames}) == 1
    times = [frame.pts for frame in frames]
    assert all(a is not None and b is not None and a < b for a, b in itertools.pairwise(times))


def test_a_late_start_counts_from_zero(tmp_path: Path) -> None:
    clip = make_video(tmp_path / "a.ts", 10, audio=None)
    assert video_times(clip.path)[0] > 0
    assert [frame.pts for frame in frames_of(clip.path)] == clip.times


@pytest.mark.parametrize(("name", "format"), [("a.gif", "GIF"), ("a.png", "PNG"), ("a.webp", "WEBP")])
def test_animated_pictures_are_videos(tmp_path: Path, name: str, format: str) -> None:
    shades = [0, 60, 120, 180, 240]
    pictures = [Pillow.new("RGB", (20, 16), (shade,) * 3) for shade in shades]
    options = {"lossless": True} if format == "WEBP" else {}
    durations = [100, 200, 50, 100, 300]
    pictures[0].save(tmp_path / name, format, save_all=True, append_images=pictures[1:], duration=durations, **options)
    frames = frames_of(tmp_path / name)
    assert {frame.info.kind for frame in frames} == {"video"}
    assert [frame.pts for frame in frames] == [Fraction(t, 1000) for t in (0, 100, 300, 350, 450)]
    assert [round(frame.load().gray().mean()) for frame in frames] == pytest.approx(shades, abs=2)


def test_a_playlist_opens_no_address(tmp_path: Path) -> None:
    path = tmp_path / "list.mp4"
    path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/secret.ts\n#EXT-X-ENDLIST\n")
    (frame,) = frames_of(path)
    with pytest.raises(SourceError):
        frame.load()


def test_names_that_look_like_protocols(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_video(tmp_path / "a.mp4", 3, audio=None)
    (tmp_path / "a.mp4").rename(tmp_path / "12:30.mp4")
    monkeypatch.chdir(tmp_path)
    assert len(frames_of("12:30.mp4")) == 3
