"""Zones: who is inside, since when, who came and went; pixels and shares, any canvas, any frame rate."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Canvas, Detections, Homography, Image, Scores
from visionkit.errors import PipelineError
from visionkit.pipeline.compile import compile_text
from visionkit.stages.zones.count import CountZones
from visionkit.stages.zones.draw import DrawZones
from visionkit.testing import CountingContext, check_stage

SIZE = (200, 100)
DOOR = {"door": [[80, 40], [120, 40], [120, 100], [80, 100]]}


def people(places: dict[int, tuple[float, float]], canvas: Canvas | None = None) -> Detections:
    """Tracks whose feet stand at (x, y) on the source frame."""
    canvas = canvas or Canvas.source(*SIZE)
    feet = np.array([*places.values()], np.float64).reshape(-1, 2)
    boxes = np.concatenate([feet - np.array([4, 20]), feet + np.array([4, 0])], axis=1)
    n = len(places)
    source = Canvas.source(canvas.frame_width, canvas.frame_height)
    found = Detections(source, boxes, np.ones(n), np.zeros(n), ("person",), track_id=np.array([*places], np.int64))
    return found.on(canvas)


def opened(**params: Any) -> CountZones:
    stage = CountZones(CountZones.Params(**{"zones": DOOR, "margin": 2, **params}))
    stage.open(CountingContext())
    return stage


def walk(stage: CountZones, xs: list[float], fps: int = 10, y: float = 80) -> list[Any]:
    results = []
    for i, x in enumerate(xs):
        stage.now = Fraction(i, fps)
        results.append(stage.run(people({7: (x, y)})))
    return results


def events(results: list[Any]) -> list[tuple[int, str]]:
    return [(i, row["event"]) for i, result in enumerate(results) for row in result.events.rows]


def test_somebody_walks_through_the_door() -> None:
    results = walk(opened(), [60, 70, 90, 100, 110, 130, 140])
    assert events(results) == [(2, "enter"), (5, "leave")]
    assert [r.objects.columns["zone"][0] for r in results] == [None, None, "door", "door", "door", None, None]
    dwell = [r.objects.columns["dwell"][0] for r in results]
    assert dwell[2:5] == pytest.approx([0, 0.1, 0.2])
    assert np.isnan(dwell[1])
    assert np.isnan(dwell[5])
    assert [r.counts.values["door.inside"] for r in results] == [0, 0, 1, 1, 1, 0, 0]
    assert results[-1].counts.values == {"door.inside": 0, "door.in": 1, "door.out": 1}
    (row,) = results[5].events.rows
    assert row == {"event": "leave", "zone": "door", "track_id": 7, "class_name": "person", "dwell": pytest.approx(0.3)}


def test_dwell_is_time_and_not_frames() -> None:
    stage = opened()
    for now in (0, Fraction(1, 3), 7, Fraction(151, 20)):  # a variable frame rate
        stage.now = Fraction(now)
        result = stage.run(people({1: (100, 80)}))
    assert result.objects.columns["dwell"][0] == pytest.approx(7.55)
    stage = opened()
    result = stage.run(people({1: (100, 80)}))  # pictures have no time
    assert np.isnan(result.objects.columns["dwell"][0])
    assert result.events.rows[0]["dwell"] is None


def test_a_box_that_trembles_on_the_border_neither_comes_nor_goes() -> None:
    rng = Random(1)
    xs = [80 + rng.uniform(-3, 3) for _ in range(300)]
    trembling = walk(opened(margin=4), [70, *xs])
    assert events(trembling) == []
    assert len(events(walk(opened(margin=0), [70, *xs]))) > 50


def test_tracks_that_begin_or_end_inside_are_accounted_for() -> None:
    """Random walks with gaps: in the end everybody who came in went out again, or was lost."""
    rng = Random(3)
    stage = opened(zones={**DOOR, "left": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]}, forget=5)
    places: dict[int, list[float]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    last = None
    for i in range(600):
        if rng.random() < 0.1:
            places[i] = [rng.uniform(0, 200), rng.uniform(0, 100)]
        for track in [t for t in places if rng.random() < 0.02]:
            del places[track]
        for place in places.values():
            place[0] += rng.gauss(0, 6)
            place[1] += rng.gauss(0, 6)
        visible = {t: (p[0], p[1]) for t, p in places.items() if rng.random() < 0.9}
        stage.now = Fraction(i, 25)
        last = stage.run(people(visible))
        seen.update((row["zone"], row["event"]) for row in last.events.rows)
    for _ in range(7):
        last = stage.run(people({}))
        seen.update((row["zone"], row["event"]) for row in last.events.rows)
    assert last is not None
    for zone in ("door", "left"):
        assert seen[zone, "enter"] + seen[zone, "appear"] == seen[zone, "leave"] + seen[zone, "lost"]
        assert last.counts.values[f"{zone}.in"] == seen[zone, "enter"] > 0
        assert last.counts.values[f"{zone}.out"] == seen[zone, "leave"] > 0
        assert seen[zone, "lost"] > 0
    assert not stage._tracks._states, "tracks that are over stay in memory"


def test_shares_pixels_and_every_canvas_agree() -> None:
    shares = {"door": [[0.4, 0.4], [0.6, 0.4], [0.6, 1.0], [0.4, 1.0]]}
    turned = Canvas.source(*SIZE).derive(100, 200, Homography(np.array([[0, 2, 0], [-0.5, 0, 100], [0, 0, 1.0]])))
    stages = [opened(), opened(zones=shares), opened()]
    xs = [60, 90, 100, 130, 60]
    for i, x in enumerate(xs):
        rows = []
        for stage, canvas in zip(stages, (None, None, turned), strict=True):
            stage.now = Fraction(i, 10)
            result = stage.run(people({1: (x, 80)}, canvas))
            rows.append((result.counts.values, result.events.rows, result.objects.columns["zone"].tolist()))
        assert rows[0] == rows[1] == rows[2]


@pytest.mark.parametrize(("anchor", "inside"), [("bottom", False), ("top", True), ("center", False), ("left", False)])
def test_the_anchor_decides(anchor: str, inside: bool) -> None:
    stage = opened(anchor=anchor, zones={"sky": [[0, 0], [200, 0], [200, 50], [0, 50]]})
    result = stage.run(people({1: (100, 65)}))  # from 45 to 65
    assert bool(result.counts.values["sky.inside"]) == inside


def test_without_tracks_only_the_inside_is_known() -> None:
    objects = people({1: (100, 80), 2: (20, 80)})
    bare = Detections(objects.canvas, objects.xyxy, objects.score, objects.class_id)
    result = opened().run(bare)
    assert result.counts.values == {"door.inside": 1, "door.in": 0, "door.out": 0}
    assert result.objects.columns["zone"].tolist() == ["door", None]
    assert not result.events.rows


@pytest.mark.parametrize(
    ("zones", "message"),
    [
        ("{door: [[0, 0], [1, 1]]}", "3 corners or more"),
        ("{door: [[0, 0], [1, 1], [2, 2]]}", "enclose an area"),
        ("{a b: [[0, 0], [1, 0], [1, 1]]}", "letters, digits and _"),
        ("{door: [[0, 0], [1, 0], [1, .nan]]}", "finite number"),
        ("{}", "at least 1"),
    ],
)
def test_wrong_zones_are_said_where_they_stand(zones: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message) as caught:
        compile_text(f"stages:\n  - detect\n  - zones.count: {{zones: {zones}}}\n")
    problem = caught.value.problems[0]
    assert problem.position is not None
    assert problem.position.line == 3
    assert problem.position.column >= 26


def test_the_contract() -> None:
    check_stage(CountZones, {"zones": DOOR})
    check_stage(DrawZones, {"zones": DOOR, "lines": {"gate": [[0, 0.5], [1, 0.5]]}})


def test_drawing_lies_where_the_zone_is() -> None:
    image = Image(np.full((100, 200, 3), 90, np.uint8))
    drawn = DrawZones(DrawZones.Params(zones=DOOR, label=False, color="red", thickness=1)).run(image).bgr()
    changed = (drawn != image.bgr()).any(axis=2)
    assert changed[45:99, 82:118].all()
    outside = changed.copy()
    outside[38:100, 78:122] = False
    assert not outside.any()
    assert drawn[70, 100].tolist() == pytest.approx([0.8 * 90 + 0.2 * c for c in (53, 57, 230)], abs=1)
    half = Image(cv2.resize(image.bgr(), (100, 50)), "bgr", image.canvas.resize(100, 50))
    smaller = DrawZones(DrawZones.Params(zones=DOOR, label=False, thickness=1)).run(half).bgr()
    changed = (smaller != half.bgr()).any(axis=2)
    assert changed[23:49, 42:58].all()
    assert not changed[:, :38].any()
    assert not changed[:, 62:].any()


def test_counts_are_written() -> None:
    image = Image(np.full((200, 400, 3), 90, np.uint8))
    stage = DrawZones(DrawZones.Params(zones={"door": [[0.4, 0.4], [0.6, 0.4], [0.6, 1], [0.4, 1]]}))
    pictures = [
        stage.run(image, counts).bgr() for counts in (None, Scores({"door.inside": 1}), Scores({"door.inside": 2}))
    ]
    assert len({p.tobytes() for p in pictures}) == 3
    full = DrawZones(DrawZones.Params(lines={"gate": [[0, 0.5], [1, 0.5]]})).run(
        image, Scores({"gate.in": 4, "gate.out": 0})
    )
    assert (full.bgr() != image.bgr()).any()


def test_events_become_rows_of_tables(tmp_path: Path) -> None:
    """From a video to JSONL and CSV, with a real tracker: a bright block walks through the door."""
    pytest.importorskip("trackers")
    frames = []
    for i in range(40):
        frame = np.full((100, 200, 3), 30, np.uint8)
        cv2.rectangle(frame, (4 + 4 * i, 50), (24 + 4 * i, 79), (240, 240, 240), cv2.FILLED)
        frames.append(frame)
    folder = tmp_path / "frames"
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f"{i:03}.png"), frame)
    text = """
vars: {area: {door: [[80, 40], [120, 40], [120, 100], [80, 100]]}}
stages:
  - contours: {level: 128, min_area: 50}
  - track.sort: {min_frames: 1}
  - zones.count: {zones: $area, margin: 1}
  - zones.line: {lines: {middle: [[100, 100], [100, 0]]}}
  - draw.boxes: {label: "{zone|-}"}
  - zones.draw: {zones: $area, in: {counts: zones_count.counts}}
outputs:
  - jsonl: {when: zones_count.events.count > 0 or zones_line.events.count > 0}
  - csv: {in: [zones_count.events, zones_line.events]}
"""
    from visionkit.media.sources import SourceOptions

    Pipeline.from_text(text).write(folder, out=tmp_path / "out", options=SourceOptions(sequence=True))
    rows = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    found = [
        row["event"] for r in rows for name in ("zones_count", "zones_line") for row in r[f"{name}.events"]["rows"]
    ]
    assert found == ["enter", "cross", "leave"]
    assert rows[-1]["zones_count.counts"] == {"door.inside": 0, "door.in": 1, "door.out": 1}
    assert rows[-1]["zones_line.counts"] == {"middle.in": 1, "middle.out": 0}
    table = (tmp_path / "out" / "results.csv").read_text()
    assert [table.count(word) for word in ("enter", "leave", "cross")] == [1, 1, 1]
