"""The table of numbers: its verdicts, the pairs behind the overhead, and the committed table itself."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.__main__ import FAMILIES, row, table
from benchmarks.accuracy.lab import Finding, Lab
from benchmarks.accuracy.overhead import ours, params
from benchmarks.accuracy.pairs import MORE, PAIRS, WITHOUT
from benchmarks.accuracy.pairs.pictures import PICTURES
from benchmarks.accuracy.scene import Scene, picture, ten_objects
from benchmarks.accuracy.tracking import differing, same
from visionkit.stage.catalogue import stages

SAME = [pair for pair in PICTURES if pair.stage not in ("elastic", "undistort", "warp") and not pair.note]
"""Pixel for pixel; the others draw by chance, or take their places from OpenCV's own arithmetic."""


@pytest.mark.parametrize(
    ("bounds", "ours_", "reached"),
    [
        ({"least": 0.8}, 0.81, True),
        ({"least": 0.8}, 0.79, False),
        ({"most": 0}, 0, True),
        ({"most": 0}, 1, False),
        ({"library": 0.5, "apart": 0.005}, 0.496, True),
        ({"library": 0.5, "apart": 0.005}, 0.506, False),
        ({"library": 0.5}, 0.1, None),
    ],
)
def test_verdicts(bounds: dict[str, float], ours_: float, reached: bool | None) -> None:
    finding = Finding("detect", "mAP", ours_, **bounds)
    assert finding.reached is reached
    assert ("**no**" in row(finding)) == (reached is False)


def test_a_section_a_family() -> None:
    text = table([Finding("detect", "mAP50", 0.9), Finding("detect", "boxes", 0, "px"), Finding("ocr", "text", 12)])
    assert text.count("## detect") == text.count("## ocr") == 1
    assert "| boxes | 0 px |" in text


@pytest.mark.parametrize("pair", SAME, ids=lambda pair: pair.stage)
def test_a_stage_and_the_call_in_its_place_do_the_same(pair, samples: Path) -> None:
    lab = Lab(samples)
    with closing(Scene(lab, picture(lab, pair.picture))) as scene:
        with lab.stage(pair.stage, **params(pair, scene)) as stage:
            made = ours(pair, stage, scene)(scene.pixels)
        np.testing.assert_array_equal(made.native(), pair.by_hand(scene)(scene.pixels))


def test_every_stage_has_a_library_call_beside_it_or_a_reason() -> None:
    paired = {pair.stage for pair in PAIRS}
    assert paired.isdisjoint(WITHOUT)
    assert paired | set(WITHOUT) == set(stages().names())
    assert set(MORE) <= paired
    assert len({pair.name for pair in PAIRS}) == len(PAIRS)


def test_the_committed_table_has_every_pair(root: Path) -> None:
    rows = json.loads((root / "benchmarks/results/accuracy.json").read_text("utf-8"))["rows"]
    measured = {row["what"] for row in rows if row["family"] == "overhead"}
    assert {pair.name for pair in PAIRS} <= measured


def test_tracks_that_differ_are_seen() -> None:
    tracks = replace(ten_objects(640, 480), track_id=np.arange(1, 11))
    equal = dict(zip(range(1, 11), tracks.xyxy, strict=True))
    assert same(tracks, equal)
    assert not same(tracks, {**equal, 3: equal[3] + 1})
    assert not same(tracks, {**equal, 11: equal[3]})
    assert not same(replace(tracks, track_id=np.arange(10)), equal)
    assert differing([tracks, tracks], [equal, {}]) == 1


def test_the_committed_table_has_every_family_and_nothing_missed(root: Path) -> None:
    rows = json.loads((root / "benchmarks/results/accuracy.json").read_text("utf-8"))["rows"]
    networks = {"detect", "segment", "classify", "ocr", "style", "track", "edges", "matte"}
    assert {row["family"] for row in rows} == networks | {"augment", "propose", "read", "overhead"}
    assert [row["what"] for row in rows if row["reached"] is False] == []
    assert sum(row["reached"] is True for row in rows) >= 100
    assert len(FAMILIES) == 9
