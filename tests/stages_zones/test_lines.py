"""Lines: who crosses, which way; trembling boxes and ways around the end do not count."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from typing import Any

import numpy as np
import pytest

from visionkit.data import Canvas, Detections
from visionkit.errors import PipelineError
from visionkit.pipeline.compile import compile_text
from visionkit.stages.zones.line import CountLines
from visionkit.testing import CountingContext, check_stage

GATE = {"gate": [[20, 50], [180, 50]]}  # drawn to the right: its right hand is below


def opened(**params: Any) -> CountLines:
    stage = CountLines(CountLines.Params(**{"lines": GATE, "anchor": "center", "margin": 2, **params}))
    stage.open(CountingContext())
    return stage


def at(places: dict[int, tuple[float, float]]) -> Detections:
    centres = np.array([*places.values()], np.float64).reshape(-1, 2)
    boxes = np.concatenate([centres - 3, centres + 3], axis=1)
    n = len(places)
    ids = np.array([*places], np.int64)
    return Detections(Canvas.source(200, 100), boxes, np.ones(n), np.zeros(n), ("car",), track_id=ids)


def totals(stage: CountLines, path: list[tuple[float, float]]) -> tuple[float, float, list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    result = None
    for place in path:
        result = stage.run(at({5: place}))
        rows += result.events.rows
    assert result is not None
    return result.counts.values["gate.in"], result.counts.values["gate.out"], rows


def test_down_is_in_and_up_is_out() -> None:
    come, go, rows = totals(opened(), [(100, 30), (100, 45), (100, 60), (100, 70), (90, 40)])
    assert (come, go) == (1, 1)
    assert [(r["direction"], r["x"], r["y"]) for r in rows] == [("in", 100, 60), ("out", 90, 40)]
    assert rows[0]["line"] == "gate"
    assert rows[0]["class_name"] == "car"
    turned = opened(lines={"gate": GATE["gate"][::-1]})
    assert totals(turned, [(100, 30), (100, 70)])[:2] == (0, 1)


def test_the_way_around_the_end_does_not_count() -> None:
    assert totals(opened(), [(10, 30), (10, 70), (100, 70), (190, 70), (190, 30)])[:2] == (0, 0)
    assert totals(opened(), [(10, 30), (10, 70), (100, 70), (100, 30)])[:2] == (0, 1)


def test_trembling_on_the_line_does_not_count() -> None:
    rng = Random(2)
    path = [(100, 40.0), *((100, 50 + rng.uniform(-3, 3)) for _ in range(300))]
    assert totals(opened(margin=4), path)[:2] == (0, 0)
    come, go, _ = totals(opened(margin=0), path)
    assert come + go > 50
    assert totals(opened(margin=4), [*path, (100, 70)])[:2] == (1, 0)


def test_random_ways_equal_the_crossings_of_segments() -> None:
    """Without hysteresis every step that meets the segment counts, and no other: exact orientation tests say which."""
    rng = Random(4)
    for _ in range(200):
        a, b = ((rng.uniform(20, 180), rng.uniform(10, 90)) for _ in range(2))
        path = [(rng.uniform(0, 200), rng.uniform(0, 100)) for _ in range(30)]
        expected = [0, 0]
        for p, q in pairwise(path):
            if turn(a, b, p) * turn(a, b, q) < 0 and turn(p, q, a) * turn(p, q, b) < 0:
                expected[turn(a, b, q) < 0] += 1
        stage = opened(lines={"gate": [list(a), list(b)]}, margin=0)
        assert list(totals(stage, path)[:2]) == expected


def turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def test_tracks_do_not_mix_and_are_forgotten() -> None:
    stage = opened(forget=3)
    for i in range(40):
        stage.run(at({1: (50, 30 + i), 2: (100, 70 - i), 3 + i: (150, 20)}))
    result = stage.run(at({}))
    assert result.counts.values == {"gate.in": 1, "gate.out": 1}
    for _ in range(5):
        stage.run(at({}))
    assert not stage._tracks._states
    stage.reset()
    assert stage.run(at({1: (50, 90)})).counts.values == {"gate.in": 0, "gate.out": 0}


def test_it_needs_tracks() -> None:
    with pytest.raises(PipelineError, match="needs tracked objects") as caught:
        compile_text("stages:\n  - detect\n  - zones.line: {lines: {gate: [[0, 0.5], [1, 0.5]]}}\n")
    (problem,) = caught.value.problems
    assert problem.code == "VK204"
    assert "track.bytetrack" in problem.help
    assert problem.position is not None
    assert (problem.position.line, problem.position.column) == (3, 5)


def test_the_contract() -> None:
    check_stage(CountLines, {"lines": GATE})
