"""Speed: the truth of a video with an irregular frame rate; coasted, cut and young boxes do not lie."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit.data import Canvas, Detections
from visionkit.errors import PipelineError
from visionkit.pipeline.compile import compile_text
from visionkit.stages.zones.speed import Speed
from visionkit.testing import CountingContext

STEP = Fraction(1, 25)


def opened(**params: Any) -> Speed:
    stage = Speed(Speed.Params(**params))
    stage.open(CountingContext())
    return stage


def at(boxes: dict[int, Any], coasted: bool = False, size: tuple[int, int] = (640, 360)) -> Detections:
    n = len(boxes)
    ids = np.array([*boxes], np.int64)
    places = np.array([*boxes.values()], np.float64).reshape(-1, 4)
    columns = {"coasted": np.full(n, coasted)}
    return Detections(Canvas.source(*size), places, np.ones(n), np.zeros(n), ("car",), track_id=ids, columns=columns)


def moving(stage: Speed, frames: int, velocity: tuple[float, float] = (60, -80)) -> list[float]:
    """The speeds of a box that starts at (100, 300)."""
    found = []
    for frame in range(frames):
        stage.now = frame * STEP
        x, y = (start + v * float(stage.now) for start, v in zip((100, 300), velocity, strict=True))
        found.append(float(stage.run(at({5: [x, y, x + 20, y + 10]})).columns["speed"][0]))
    return found


def test_a_steady_move_once_half_a_window_was_seen() -> None:
    speeds = moving(opened(window=1.0), 40)
    assert np.isnan(speeds[:13]).all()
    np.testing.assert_allclose(speeds[13:], 100, rtol=1e-4)


def test_metres_and_kilometres() -> None:
    stage = opened(metres_per_pixel=0.05)
    moving(stage, 40)
    found = stage.run(at({5: [196, 172, 216, 182]})).columns
    assert found["mps"][0] == pytest.approx(found["speed"][0] * 0.05)
    assert found["kmh"][0] == pytest.approx(found["mps"][0] * 3.6)
    assert "mps" not in opened().columns(Speed.Params())


@pytest.mark.parametrize("every", [1, 3])
def test_the_truth_of_a_video_with_an_irregular_frame_rate(samples: Path, every: int) -> None:
    """True boxes with a pixel of noise, cut at the frame; on frames nobody looked at, wrong predictions."""
    truth = json.loads((samples / "walk.json").read_text("utf-8"))["frames"]
    random, stage, errors = np.random.default_rng(0), opened(), []
    for frame in truth[:-12]:
        stage.now = Fraction(frame["pts"], 1000)
        coasted = frame["index"] % every > 0
        boxes = {o["id"]: np.array(o["box"]) + random.normal(0, 40 if coasted else 1, 4) for o in frame["objects"]}
        seen = {track: np.clip(box, 0, [640, 360, 640, 360]) for track, box in boxes.items()}
        speeds = stage.run(at(seen, coasted)).columns["speed"]
        true = true_speeds(truth, frame["index"])
        errors += [abs(s - true[t]) / true[t] for t, s in zip(seen, speeds, strict=True) if true.get(t, 0) > 20]
    known = np.array(errors)[~np.isnan(errors)]
    assert len(known) > 0.7 * len(errors) > 300
    assert np.median(known) < 0.1


def true_speeds(truth: list[dict[str, Any]], index: int) -> dict[int, float]:
    """Of every object on a frame, from its whole box half a dozen frames before and after."""
    before, after = truth[max(0, index - 6)], truth[index + 6]
    start = {o["id"]: np.array(o["box"]) for o in before["objects"]}
    seconds = (after["pts"] - before["pts"]) / 1000
    moves = {o["id"]: np.array(o["box"]) - start[o["id"]] for o in after["objects"] if o["id"] in start}
    return {t: float(np.hypot(m[0] + m[2], m[1] + m[3])) / 2 / seconds for t, m in moves.items()}


def test_a_box_that_comes_in_is_as_fast_as_its_free_edge() -> None:
    stage, speeds = opened(window=0.4), []
    for frame in range(30):
        stage.now = frame * STEP
        right = 100 * float(stage.now) + 10
        speeds.append(stage.run(at({1: [max(0, right - 200), 50, right, 90]})).columns["speed"][0])
    np.testing.assert_allclose(speeds[8:], 100, rtol=1e-4)


def test_what_only_coasts_is_unknown_before_long_and_so_is_all_without_time() -> None:
    stage = opened(window=1.0)
    moving(stage, 26)
    speeds = []
    for frame in range(26, 60):
        stage.now = frame * STEP
        speeds.append(stage.run(at({5: [0, 0, 300, 300]}, coasted=True)).columns["speed"][0])
    np.testing.assert_allclose(speeds[:12], 100, rtol=1e-4)
    assert np.isnan(speeds[14:]).all()
    assert not stage._past[5]
    stage.now = None
    assert np.isnan(stage.run(at({5: [0, 0, 9, 9]})).columns["speed"]).all()


def test_it_needs_tracks_and_its_column_is_known() -> None:
    tracked = "stages:\n  - detect\n  - track.sort\n  - track.speed\n  - draw.boxes: {label: '{speed:.0f} {kmh}'}"
    with pytest.raises(PipelineError, match="kmh"):
        compile_text(tracked)
    compile_text(tracked.replace("track.speed", "track.speed: {metres_per_pixel: 0.1}"))
    with pytest.raises(PipelineError, match="track"):
        compile_text("stages:\n  - detect\n  - track.speed")
