"""Recordings: files of a fixed length, clips with what came before, and what is deleted."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from visionkit.api import Pipeline
from visionkit.data import Image, Key, Packet
from visionkit.errors import DiskFullError, PipelineError, SinkError
from visionkit.media.sinks import clips
from visionkit.media.sinks.record import RecordParams, RecordSink
from visionkit.media.sinks.retention import Retention, stamped
from visionkit.stage import Gap, SinkContext, SourceInfo

FPS = 25
NOON = 1_795_000_000.0
INFO = SourceInfo("door", "live", relpath="door", width=64, height=48)


def level(index: int) -> int:
    return 20 + index % 200


class Camera:
    """Feeds a sink 25 frames a second whose brightness tells their number; the wall clock goes along."""

    def __init__(self, out: Path, **params: Any) -> None:
        self.sink = RecordSink(RecordParams(**params))
        self.sink.wall = lambda: NOON + self.index / FPS
        self.index = self.session = 0
        context = SinkContext(out)
        self.sink.check(context, [INFO])
        self.sink.open(context)
        self.folder = out / "recordings" / "door"

    def frames(self, count: int, when: bool = True, size: tuple[int, int] = (64, 48)) -> None:
        for _ in range(count):
            image = Image(np.full((size[1], size[0], 3), level(self.index), np.uint8))
            key = Key("door", self.session, self.index)
            packet = Packet(key, Fraction(self.index, FPS), None, {"source": image, "when": when})
            self.sink.write(packet, INFO, self.sink.prepare(packet, INFO))
            self.index += 1

    def gap(self, seconds: float) -> None:
        self.session += 1
        self.sink.gap(Gap(INFO, self.index, Fraction(0), seconds, self.session, "lost"), INFO)
        self.index += round(seconds * FPS)

    def close(self) -> list[list[int]]:
        """The numbers of the frames in each file."""
        assert self.sink.close(False) == ([self.folder] if self.folder.is_dir() else [])
        return [numbers(path) for path in files(self.folder)]


def files(folder: Path) -> list[Path]:
    assert not list(folder.glob("*.part"))
    return sorted(folder.glob("*.mp4"))


def numbers(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        found = list(container.decode(stream))
    assert found[0].pts == 0
    assert found[0].key_frame
    times = [frame.pts * frame.time_base for frame in found]
    assert {b - a for a, b in pairwise(times)} <= {Fraction(1, FPS)}
    bright = [float(frame.to_ndarray(format="bgr24").mean()) for frame in found]
    return [min(range(200), key=lambda n: abs(level(n) - value)) for value in bright]  # fewer than 200 frames each


def test_files_of_a_fixed_length_without_a_frame_missing(tmp_path: Path) -> None:
    camera = Camera(tmp_path, seconds=2)
    camera.frames(130)
    found = camera.close()
    assert [len(part) for part in found] == [50, 50, 30]
    assert [n for part in found for n in part] == pytest.approx(range(130), abs=1)
    names = [path.name for path in files(camera.folder)]
    assert names == ["2026-11-18T11-06-40Z.mp4", "2026-11-18T11-06-42Z.mp4", "2026-11-18T11-06-44Z.mp4"]


def test_a_clip_begins_before_its_cause_and_ends_after_it(tmp_path: Path) -> None:
    camera = Camera(tmp_path, before=1, after=2)
    for count, when in ((100, False), (10, True), (90, False)):
        camera.frames(count, when)
    (clip,) = camera.close()
    assert 25 <= 100 - clip[0] <= 25 + 2 * FPS, "at least a second before, at most a group of pictures more"
    assert clip[-1] == pytest.approx(109 + 2 * FPS, abs=1)
    assert clip == pytest.approx(range(clip[0], clip[0] + len(clip)), abs=1)


def test_causes_that_overlap_are_one_clip_others_are_not(tmp_path: Path) -> None:
    camera = Camera(tmp_path, before=0, after=1)
    for count, when in ((30, False), (1, True), (20, False), (1, True), (60, False), (1, True), (40, False)):
        camera.frames(count, when)
    first, second = camera.close()
    assert first[-1] == pytest.approx(51 + FPS, abs=1)
    assert first[0] <= 30
    assert first[-1] < second[0] <= 112
    assert second[-1] == pytest.approx(112 + FPS, abs=1)


def test_nothing_happened(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.frames(60, when=False)
    assert camera.close() == []


def test_a_gap_or_another_size_begins_a_new_file(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.frames(30)
    camera.gap(3)
    camera.frames(20)
    camera.frames(10, size=(48, 64))
    assert [len(part) for part in camera.close()] == [30, 20, 10]


def test_odd_sizes_are_padded(tmp_path: Path) -> None:
    camera = Camera(tmp_path)
    camera.frames(5, size=(63, 47))
    (path,) = (camera.close(), files(camera.folder))[1]
    with av.open(str(path)) as container:
        assert container.streams.video[0].width == 64


def made(folder: Path, hours_ago: float, size: int, name: str = "") -> Path:
    path = folder / name if name else stamped(folder, NOON - hours_ago * 3600)
    path.write_bytes(bytes(size))
    return path


def test_the_oldest_go_by_age_and_by_size_and_nothing_else(tmp_path: Path) -> None:
    old, older, left = made(tmp_path, 30, 10), made(tmp_path, 50, 10), made(tmp_path, 40, 10)
    left.rename(left.with_name(left.name + ".part"))
    others = [made(tmp_path, 0, 10, name) for name in ("holiday.mp4", "2020-01-01.mp4", "2020-99-01T00-00-00Z.mp4")]
    new = [made(tmp_path, hours, 1000) for hours in (3, 2, 1)]
    gone = Retention(tmp_path, 24, None).apply(NOON)
    assert gone == [older, left.with_name(left.name + ".part"), old]
    gone = Retention(tmp_path, None, 0.002).apply(NOON)
    assert gone == new[:1]
    assert Retention(tmp_path, None, 0.0001).apply(NOON) == new[1:2], "the newest stays"
    assert sorted(tmp_path.iterdir()) == sorted([*others, new[2]])


def test_a_camera_that_runs_for_long_keeps_to_its_room(tmp_path: Path) -> None:
    camera = Camera(tmp_path, seconds=1, keep_mb=0.02)
    camera.frames(500)
    camera.close()
    found = files(camera.folder)
    sizes = sum(path.stat().st_size for path in found)
    assert 2 <= len(found) < 20
    assert sizes <= 0.02e6 + max(path.stat().st_size for path in found)
    assert found[-1].name.startswith("2026-11-18T11-06-59")


def test_two_recordings_of_one_second_do_not_collide(tmp_path: Path) -> None:
    made(tmp_path, 0, 1)
    assert stamped(tmp_path, NOON).name == "2026-11-18T11-06-40Z-2.mp4"


def test_two_sources_in_one_folder_are_refused(tmp_path: Path) -> None:
    sink = RecordSink(RecordParams(path="recordings"))  # type: ignore[arg-type]
    with pytest.raises(SinkError, match="one folder"):
        sink.check(SinkContext(tmp_path), [INFO, SourceInfo("yard", "live")])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_named_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "part_of", lambda path: Path("/dev/full"))
    camera = Camera(tmp_path)
    with pytest.raises(DiskFullError, match="no room left"):
        camera.frames(200)


def test_in_a_pipeline_when_starts_clips(tmp_path: Path, root: Path) -> None:
    text = "stages: [edges.canny]\noutputs:\n  - record: {when: index >= 40 and index < 45, after: 1, before: 1}\n"
    pipeline = Pipeline.from_text(text)
    summary = pipeline.write(root / "samples" / "walk.mp4", out=tmp_path)
    assert summary.failed == 0
    (path,) = files(tmp_path / "recordings" / "walk")
    with av.open(str(path)) as container:
        count = sum(1 for _ in container.decode(video=0))
    with av.open(str(root / "samples" / "walk.mp4")) as container:
        rate = float(container.streams.video[0].average_rate or 25)
    assert 2 * rate * 0.9 <= count <= (2 + 2) * rate + 6


def test_mistakes_are_said_with_the_file() -> None:
    with pytest.raises(PipelineError, match="keep_mb"):
        Pipeline.from_text("stages:\n  - edges.canny\noutputs:\n  - record: {keep_mb: 0}\n")
