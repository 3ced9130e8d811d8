"""What users name becomes the right files, in the right order, or an error that helps."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from tests.media.media_files import frames_of, make_video, photo
from visionkit.data import Image
from visionkit.errors import SourceError, UsageError
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.media.sources.files import FilesSource


def put(folder: Path, *names: str) -> None:
    data = bytes(cv2.imencode(".png", photo(8, 6))[1])
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def names(*inputs: object, **options: object) -> list[str]:
    (source,) = open_sources(inputs, SourceOptions(**options))  # type: ignore[arg-type]
    return [info.name for info in source.infos or ()]


def test_folders_in_natural_order(tmp_path: Path) -> None:
    put(tmp_path, "b/2.png", "b/10.png", "ä ö.png", "frame10.png", "Frame2.png", "frame1.png")
    assert names(tmp_path) == ["frame1.png", "Frame2.png", "frame10.png", "ä ö.png", "b/2.png", "b/10.png"]
    assert names(tmp_path, recursive=False) == ["frame1.png", "Frame2.png", "frame10.png", "ä ö.png"]


def test_what_is_passed_over_is_counted(tmp_path: Path) -> None:
    put(tmp_path, "a.png", ".hidden.png", ".git/b.png", "notes.txt", "LICENSE")
    (source,) = open_sources([tmp_path])
    assert isinstance(source, FilesSource)
    assert source.skipped == {"hidden": 2, ".txt": 1, "no extension": 1}
    assert len(source.infos or ()) == 1


def test_results_below_a_folder_of_inputs_are_no_inputs(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "out/a.png", "out/more/b.png", "out/.visionkit/manifest.db")
    assert names(tmp_path) == ["a.png"]
    assert names(tmp_path / "out") == ["a.png", "more/b.png"], "unless they are asked for"


def test_an_empty_name_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="empty name"):
        open_sources([""])


def test_a_folder_with_nothing_to_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(UsageError, match="no pictures") as caught:
        open_sources([tmp_path])
    assert "1 .txt" in caught.value.help


def test_globs(tmp_path: Path) -> None:
    put(tmp_path, "x/1.png", "x/y/2.png", "z.png")
    assert names(tmp_path / "**" / "*.png") == ["x/1.png", "x/y/2.png", "z.png"]
    assert names(f"{tmp_path}/x/*.png") == ["1.png"]
    put(tmp_path, "img[1].png")
    assert names(tmp_path / "img[1].png") == ["img[1].png"]
    with pytest.raises(UsageError, match="matches no picture"):
        open_sources([tmp_path / "*.jpg"])


def test_relative_globs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "x/1.png", "2.png")
    monkeypatch.chdir(tmp_path)
    assert names("*.png") == ["2.png"]
    assert names("**/*.png") == ["2.png", "x/1.png"]
    assert names("x") == ["1.png"]
    assert names(".") == ["2.png", "x/1.png"]


def test_single_files_mirror_their_common_folder(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png", "b/1.png")
    assert names(tmp_path / "a/1.png", tmp_path / "b/1.png") == ["a/1.png", "b/1.png"]
    assert names(tmp_path / "a/1.png") == ["1.png"]


def test_names_are_unique(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png", "b/1.png")
    (source,) = open_sources([tmp_path / "a", tmp_path / "b"])
    infos = list(source.infos or ())
    assert [info.relpath for info in infos] == ["1.png", "1.png"]
    assert len({info.name for info in infos}) == 2


def test_a_missing_path_names_its_neighbours(tmp_path: Path) -> None:
    put(tmp_path, "holiday.png")
    with pytest.raises(UsageError, match="no such file") as caught:
        open_sources([tmp_path / "holliday.png"])
    assert "did you mean 'holiday.png'" in caught.value.help
    with pytest.raises(UsageError, match="no such file") as caught:
        open_sources([tmp_path / "zzz"])
    assert "there are: holiday.png" in caught.value.help
    with pytest.raises(UsageError, match="nor a folder"):
        open_sources([tmp_path / "nowhere" / "a.png"])
    with pytest.raises(UsageError, match="no input"):
        open_sources([])


def test_paths_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "a/1.png", "b/ü 2.png")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{tmp_path}/b/ü 2.png\n\n{tmp_path}/a/1.png\n"))
    assert names("-") == ["b/ü 2.png", "a/1.png"]


@pytest.mark.skipif(os.name == "nt", reason="file names are text there")
def test_nothing_from_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    with pytest.raises(UsageError, match="stdin"):
        open_sources(["-"])


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"a\xff.png")
    try:
        put(tmp_path, name)
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (frame,) = frames_of(tmp_path)
    assert frame.info.name == name
    assert frame.load().width == 8


def test_linked_folders_are_entered_once(tmp_path: Path) -> None:
    put(tmp_path, "a/1.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert names(tmp_path) == ["a/1.png"]


def test_pictures_and_videos_in_one_lane(tmp_path: Path) -> None:
    put(tmp_path, "1.png", "3.png")
    make_video(tmp_path / "2.mp4", 4, audio=None)
    frames = frames_of(tmp_path)
    assert [(f.info.name, f.info.kind, f.index) for f in frames] == [
        ("1.png", "image", 0),
        *[("2.mp4", "video", i) for i in range(4)],
        ("3.png", "image", 0),
    ]
    assert frames[0].pts is None
    assert len(frames_of(tmp_path, limit=3)) == 3


def test_a_still_gif_is_a_picture(tmp_path: Path) -> None:
    Pillow.new("P", (5, 5)).save(tmp_path / "a.gif")
    Pillow.new("RGB", (5, 5)).save(tmp_path / "b.webp")
    assert {frame.info.kind for frame in frames_of(tmp_path)} == {"image"}


@pytest.mark.parametrize(
    "start", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\x10\0\0\0WEBPVP8X", b"GIF87a\x01\0\x01\0\x87\0\0"]
)
def test_broken_heads_are_listed_and_fail_alone(tmp_path: Path, start: bytes) -> None:
    rest = np.random.default_rng(0).integers(0, 255, 3000, np.uint8).tobytes()
    for i, tail in enumerate([b"", rest[:5], rest, b"\0" * 50, b"," * 500, b"!" * 500]):
        (tmp_path / f"{i}.gif").write_bytes(start + tail)
    frames = frames_of(tmp_path)
    assert len(frames) >= 6
    for frame in frames:
        with pytest.raises(SourceError):
            frame.load()
    assert len(frames_of(tmp_path, sequence=True)) >= 6


def test_unknown_extensions_are_looked_into(tmp_path: Path) -> None:
    put(tmp_path, "a.png")
    make_video(tmp_path / "b.mp4", 2, audio=None)
    (tmp_path / "a.png").rename(tmp_path / "a.bin")
    (tmp_path / "b.mp4").rename(tmp_path / "b.bin")
    assert [f.info.kind for f in frames_of(tmp_path / "a.bin", tmp_path / "b.bin")] == ["image", "video", "video"]


def test_sequence(tmp_path: Path) -> None:
    put(tmp_path, "run/2.png", "run/10.png", "run/1.png", "run/b/1.png")
    cv2.imwrite(str(tmp_path / "run/11.png"), photo(12, 6))
    (tmp_path / "run/3.png").write_bytes(b"")
    frames = frames_of(tmp_path / "run", sequence=True, fps=10)
    first = [frame for frame in frames if frame.info.name == "run"]
    assert [(f.index, float(f.pts or 0), f.session) for f in first] == [
        (0, 0.0, 0),
        (1, 0.1, 0),
        (2, 0.2, 0),
        (3, 0.3, 0),
        (4, 0.4, 1),  # another size
    ]
    assert {f.info.kind for f in frames} == {"video"}
    assert [f.info.name for f in frames[5:]] == ["b"]
    with pytest.raises(SourceError):
        first[2].load()


def test_arrays_and_images() -> None:
    gray = np.zeros((4, 6), np.uint8)
    frames = frames_of(photo(8, 6), gray, Image(photo(5, 5)))
    assert [f.info.name for f in frames] == ["array-0", "array-1", "array-2"]
    assert np.array_equal(frames[0].load().bgr(), photo(8, 6))
    assert frames[1].load().is_gray
    with pytest.raises(UsageError, match="not a picture"):
        open_sources([np.zeros((4, 6, 3), np.float32)])


def test_the_callers_array_is_copied() -> None:
    array = photo(8, 6)
    (frame,) = frames_of(array)
    array[:] = 0
    assert frame.load().bgr().any()


@pytest.mark.parametrize("options", [{"from_": 3, "to": 2}, {"fps": 0}, {"limit": 0}, {"from_": -1}, {"fourcc": "X"}])
def test_impossible_options(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        SourceOptions(**options)  # type: ignore[arg-type]


def test_sizes_are_estimated_without_decoding(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), photo(1280, 720))
    (frame,) = frames_of(tmp_path)
    assert 1280 * 720 * 3 / 8 < frame.nbytes < 1280 * 720 * 3 * 8
