"""The table of numbers: its verdicts, the pairs behind the overhead, and the committed table itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.__main__ import FAMILIES, row, table
from benchmarks.accuracy.lab import Finding, Lab
from benchmarks.accuracy.overhead import ours
from benchmarks.accuracy.pairs import PAIRS, ten_objects
from benchmarks.accuracy.tracking import differing, same

PLAIN = [pair for pair in PAIRS if pair.stage.startswith(("filter.", "edges.", "resize", "flip", "background."))]


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


@pytest.mark.parametrize("pair", PLAIN, ids=lambda pair: pair.stage)
def test_a_stage_and_the_call_in_its_place_do_the_same(pair, samples: Path) -> None:
    lab = Lab(samples)
    pixels = lab.sample_photos[3].bgr()
    with lab.stage(pair.stage, **pair.params) as stage:
        made = ours(pair, stage)(pixels)
    wanted = pair.by_hand(lab)(pixels)
    if pair.stage == "background.mog2":  # of the first frame both say that all is new, but a shadow may be marked
        wanted = np.where(wanted == 127, 0, wanted)
    np.testing.assert_array_equal(made.native(), wanted)


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
    assert {row["family"] for row in rows} == {"detect", "segment", "classify", "ocr", "style", "track", "overhead"}
    assert [row["what"] for row in rows if row["reached"] is False] == []
    assert sum(row["reached"] is True for row in rows) >= 15
    assert len(FAMILIES) == 7
