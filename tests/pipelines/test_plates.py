"""The plate pipeline against the exact truth of its sample: what is read, what is shown, and how often it reads."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from visionkit import Pipeline
from visionkit.runtime.metrics import NodeTime

ROOT = Path(__file__).resolve().parents[2]
CADENCE = 5
"""``n`` in plates.yaml."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Shown:
    """One plate on a frame: which frame, the text it shows, the text of the true plate there (None: there is none)."""

    index: int
    text: str
    truth: str | None


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union of two xyxy boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    inside = max(0.0, width) * max(0.0, height)
    return inside / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside)


@cache
def truth() -> list[list[dict[str, object]]]:
    frames = json.loads((ROOT / "samples" / "traffic.json").read_text(encoding="utf-8"))["frames"]
    return [[o["plate"] for o in frame["objects"] if "plate" in o] for frame in frames]


def below(box: list[float], index: int) -> str | None:
    best = max(truth()[index], key=lambda plate: overlap(box, plate["box"]), default=None)
    return str(best["text"]) if best is not None and overlap(box, best["box"]) > 0.3 else None


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[int, list[Shown]], dict[int, list[int]], NodeTime]:
    """What each track showed; on which frames each track was, read or not; the work of the reader."""
    out = tmp_path_factory.mktemp("plates")
    text = (ROOT / "pipelines" / "plates.yaml").read_text(encoding="utf-8")
    pipeline = Pipeline.from_text(text.replace("jsonl: {in: plates}", "jsonl: {in: [plates, tracks]}"))
    summary = pipeline.write(str(ROOT / "samples" / "traffic.mp4"), out=out)
    shown: dict[int, list[Shown]] = defaultdict(list)
    seen: dict[int, list[int]] = defaultdict(list)
    for line in (out / "results.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for plate in row["plates"]:
            one = Shown(row["index"], plate["number.text"], below(plate["box"], row["index"]))
            shown[plate["track_id"]].append(one)
        for track in row["tracks"]:
            seen[track["track_id"]].append(row["index"])
    return shown, seen, next(node for node in summary.nodes if node.name == "reading")


def test_every_plate_is_read_and_none_is_invented(run: tuple[dict[int, list[Shown]], object, object]) -> None:
    texts = {one.text for track in run[0].values() for one in track}
    assert texts == {str(plate["text"]) for frame in truth() for plate in frame}


def test_every_track_ends_with_its_own_text(run: tuple[dict[int, list[Shown]], object, object]) -> None:
    last = [track[-1] for track in run[0].values()]
    right = [one for one in last if one.text == one.truth]
    assert len(right) >= 0.95 * len(last), last


def test_hardly_a_frame_shows_a_wrong_text(run: tuple[dict[int, list[Shown]], object, object]) -> None:
    every = [one for track in run[0].values() for one in track]
    wrong = [one for one in every if one.text != one.truth]
    assert len(every) > 250
    assert len(wrong) <= 0.01 * len(every), wrong


def test_it_reads_no_more_often_than_the_cadence_allows(run: tuple[object, dict[int, list[int]], NodeTime]) -> None:
    _, seen, reading = run
    allowed = sum((frames[-1] - frames[0]) // CADENCE + 1 for frames in seen.values())
    assert 0 < reading.items <= allowed
    frames = sum(map(len, seen.values()))
    assert reading.items < frames / CADENCE, "until ends the reading of plates that are known"
