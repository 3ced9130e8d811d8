"""Trackers against the package ``trackers`` called by hand, and what we add: ids, ages, coasting."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.tracking import by_hand, differing
from visionkit.data import Canvas, Detections, Image
from visionkit.lazy import trackers
from visionkit.stages.track.botsort import BotSort, BotSortParams
from visionkit.stages.track.bytetrack import ByteTrack, ByteTrackParams
from visionkit.stages.track.ocsort import OcSort, OcSortParams
from visionkit.stages.track.sort import Sort, SortParams

pytest.importorskip("trackers")
FRAME = Canvas.source(640, 360)
PICTURE = np.random.default_rng(3).integers(0, 255, (360, 640, 3), dtype=np.uint8)


def image(canvas: Canvas = FRAME) -> Image:
    return Image(PICTURE[: canvas.height, : canvas.width].copy(), canvas=canvas)


def scene(frames: int = 40, seed: int = 0) -> list[Detections]:
    """Three objects that cross, jitter, miss frames and dip in score, plus a false alarm now and then."""
    rng = np.random.default_rng(seed)
    found = []
    for t in range(frames):
        centres = np.array([[40 + 9 * t, 100], [400 - 8 * t, 110 + t], [200, 30 + 6 * t]], float)
        seen = rng.random(3) > 0.12
        if 15 <= t < 20:
            seen[2] = False
        boxes = np.concatenate([centres - (20, 30), np.add(centres, (20, 30))], axis=1)[seen]
        boxes += rng.normal(0, 1.5, boxes.shape)
        scores = rng.uniform(0.35, 0.95, len(boxes))
        classes = np.array([0, 0, 1])[seen]
        if rng.random() < 0.2:
            corner = rng.uniform(0, 300, 2)
            boxes = np.concatenate([boxes, [[*corner, *(corner + 40)]]])
            scores, classes = np.append(scores, 0.55), np.append(classes, 1)
        found.append(Detections(FRAME, boxes, scores, classes, ("person", "car")))
    return found


LIBRARY = {
    "sort": (
        lambda: Sort(SortParams(lost_frames=12)),
        lambda: trackers.SORTTracker(lost_track_buffer=12),
    ),
    "bytetrack": (
        lambda: ByteTrack(ByteTrackParams(lost_frames=12, start_score=0.6, high_score=0.55, min_iou=0.2)),
        lambda: trackers.ByteTrackTracker(
            lost_track_buffer=12,
            track_activation_threshold=0.6,
            high_conf_det_threshold=0.55,
            minimum_iou_threshold=0.2,
        ),
    ),
    "ocsort": (
        lambda: OcSort(OcSortParams(lost_frames=12)),
        lambda: trackers.OCSORTTracker(lost_track_buffer=12, high_conf_det_threshold=0.5),
    ),
    "botsort": (
        lambda: BotSort(BotSortParams(lost_frames=12)),
        lambda: trackers.BoTSORTTracker(
            lost_track_buffer=12, track_activation_threshold=0.5, high_conf_det_threshold=0.5
        ),
    ),
}


def opened(name: str):
    stage = LIBRARY[name][0]()
    stage.open(None)
    return stage


@pytest.mark.parametrize("name", LIBRARY)
def test_equals_the_library_called_by_hand(name) -> None:
    stage, frames = opened(name), [(image(), objects) for objects in scene()]
    wanted = by_hand(LIBRARY[name][1](), frames)
    tracks = [stage.run(objects, picture) for picture, objects in frames]
    assert differing(tracks, wanted) == 0
    assert sum(map(len, tracks)) > 30


@pytest.mark.parametrize("name", LIBRARY)
def test_ids_start_at_one_and_reset_forgets(name) -> None:
    stage = opened(name)
    runs = []
    for _ in range(2):
        ids = [stage.run(objects, image()) for objects in scene()]
        runs.append([(t.track_id.tolist(), t.columns["age"].tolist()) for t in ids])
        stage.reset()
    assert runs[0] == runs[1]
    first = next(ids for ids, _ in runs[0] if ids)
    assert min(first) == 1


def steady(t: int) -> Detections:
    boxes = [[50 + 2 * t, 50, 90 + 2 * t, 110]]
    return Detections(FRAME, boxes, [0.9], [1], ("person", "car"), columns={"plate.text": np.array(["X1"], object)})


@pytest.mark.parametrize("name", LIBRARY)
def test_age_counts_frames(name) -> None:
    stage = opened(name)
    ages = [stage.run(steady(t), image()).columns["age"].tolist() for t in range(8)]
    given = [age for row in ages for age in row]
    assert given == list(range(len(given)))
    assert len(given) >= 6


@pytest.mark.parametrize("name", LIBRARY)
def test_coasts_where_nobody_looked(name) -> None:
    """Detect every 5, track between: the ids stay, the boxes move on, misses are not counted."""
    stage = opened(name)
    errors, ids, flags = [], set(), []
    for t in range(60):
        tracks = stage.run(steady(t) if t % 5 == 0 else None, image())
        if t >= 25:
            assert len(tracks) == 1
            assert tracks.canvas.is_frame
            errors.append(abs(float(tracks.xyxy[0, 0]) - (50 + 2 * t)))
            ids |= set(tracks.track_id.tolist())
            flags.append((t % 5 != 0, bool(tracks.columns["coasted"][0])))
            assert tracks.class_name.tolist() == ["car"]
            assert tracks.columns["plate.text"].tolist() == ["X1"]
    assert ids == {1}
    assert all(expected == found for expected, found in flags)
    assert max(errors) < 2, "moved on by constant velocity"


def test_a_lost_track_does_not_come_back_while_coasting() -> None:
    stage = opened("bytetrack")
    for t in range(5):
        stage.run(steady(t), image())
    assert len(stage.run(Detections.empty(FRAME), image())) == 0
    assert len(stage.run(None, image())) == 0


def test_absent_before_anything_was_found() -> None:
    stage = opened("sort")
    tracks = stage.run(None, image())
    assert len(tracks) == 0
    assert tracks.track_id.shape == (0,)
    assert set(tracks.columns) == {"age", "coasted"}


def test_boxes_are_followed_in_the_frame_even_where_the_crop_moves() -> None:
    """A still object seen through a crop that jumps is one track."""
    stage = opened("bytetrack")
    ids = set()
    for t in range(10):
        crop = FRAME.crop(100 * (t % 2), 0, 300, 200)
        box = np.array([[200, 60, 240, 120]], float) - [100 * (t % 2), 0] * 2
        objects = Detections(crop, box, [0.9], [0])
        ids |= set(stage.run(objects, image(crop)).track_id.tolist())
    assert ids == {1}


def test_declared_columns_are_there() -> None:
    stage = opened("bytetrack")
    for t in range(4):
        tracks = stage.run(steady(t), image())
    assert all(tracks.column(name) is not None for name in ByteTrack.extra_columns)
    assert tracks.to_dicts()[0]["coasted"] is False
