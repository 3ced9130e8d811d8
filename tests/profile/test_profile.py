"""``visionkit profile``: bottlenecks that are known by construction, and a trace that others can read."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.app.test_run import video, visionkit

FRAMES = 40
SLEEPY = """
import time

def sleepy(image):
    time.sleep(0.03)
    return image
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES)


def profiled(pipeline: str, clip: Path, folder: Path, *options: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report and the trace of a profile."""
    (folder / "p.yaml").write_text(pipeline)
    trace = folder / "trace.json"
    done = visionkit("profile", folder / "p.yaml", clip, "--json", "--trace", trace, *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), json.loads(trace.read_text("utf-8"))


@pytest.fixture(scope="module")
def denoised(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """A pipeline whose one heavy stage is a function of OpenCV."""
    text = "stages:\n  - filter.gamma: {gamma: 0.9}\n  - filter.nlm: {strength: 5}\noutputs: [jsonl]\n"
    return profiled(text, clip, tmp_path_factory.mktemp("nlm"), "--workers", "1")


def test_the_heavy_stage_is_the_bottleneck(denoised) -> None:
    report, _ = denoised
    assert report["frames"] == FRAMES
    said = report["bottleneck"]
    assert said.startswith("filter_nlm is the bottleneck") or "most for filter_nlm" in said
    stages = {stage["name"]: stage for stage in report["stages"]}
    assert stages["filter_nlm"]["seconds"] > 5 * stages["filter_gamma"]["seconds"]
    assert stages["filter_nlm"]["libraries"]["cv2"] > 0.8
    assert stages["source:read"]["items"] == FRAMES
    assert next(iter(report["stages"]))["name"] == "source:read"
    assert report["cpu"]["cv2"] > 0.5 * sum(report["cpu"].values()) > 0


def test_frames_wait_before_the_slow_worker_alone(denoised) -> None:
    report, _ = denoised
    waiting = {worker["name"]: worker["waiting"] for worker in report["workers"]}
    slow = next(name for name in waiting if "filter_nlm" in name)
    assert waiting[slow] > 2
    assert waiting["outputs"] < 1


def test_conversions_are_named_with_their_stage(denoised) -> None:
    seen = {(one["what"], one["stage"]): one for one in denoised[0]["conversions"]}
    assert not seen, "frames of 160 × 120 are too small to count"


def test_conversions_of_larger_frames(tmp_path: Path) -> None:
    large = video(tmp_path / "large.mp4", 6, (640, 480))
    report, _ = profiled("stages: [edges.canny]\noutputs: [jsonl]\n", large, tmp_path)
    seen = {(one["what"], one["stage"]): one for one in report["conversions"]}
    assert seen[("YUV I420 → BGR", "edges_canny")]["count"] == 6
    assert seen[("YUV I420 → BGR", "edges_canny")]["nbytes"] == 640 * 480 * 3
    assert seen[("BGR → GRAY", "edges_canny")]["count"] == 6
    assert ("decoder's frame → array", "decode") in seen


def test_a_stage_that_waits_is_no_work_of_a_library(clip, tmp_path) -> None:
    (tmp_path / "own.py").write_text(SLEEPY)
    text = "stages:\n  - python: {id: own, file: own.py, function: sleepy}\noutputs: [jsonl]\n"
    report, _ = profiled(text, clip, tmp_path, "--allow-code", "--workers", "1")
    assert report["bottleneck"].startswith("own is the bottleneck")
    assert "waiting" in report["bottleneck"]
    own = next(stage for stage in report["stages"] if stage["name"] == "own")
    assert 30 <= own["ms"] < 60


def test_the_trace_is_one(denoised) -> None:
    """The fields that the trace-event format asks of each kind of event, and spans that can be true."""
    report, trace = denoised
    events = trace["traceEvents"]
    assert {event["ph"] for event in events} == {"M", "X", "C"}
    spans = [event for event in events if event["ph"] == "X"]
    assert all({"name", "cat", "ts", "dur", "pid", "tid"} <= set(event) for event in spans)
    assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in spans)
    named = {event["tid"]: event["args"]["name"] for event in events if event["name"] == "thread_name"}
    assert {event["tid"] for event in spans} <= set(named)
    assert max(event["ts"] + event["dur"] for event in spans) <= 1.2e6 * report["seconds"] + 1e5
    rows = defaultdict(list)
    for event in spans:
        if event["cat"] == "stage":
            rows[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for row in rows.values():
        ordered = sorted(row)
        assert all(a[1] <= b[0] + 1 for a, b in pairwise(ordered)), "a thread does one thing"
    heavy = [event["dur"] for event in spans if event["name"] == "filter_nlm"]
    assert len(heavy) == FRAMES
    stage = next(stage for stage in report["stages"] if stage["name"] == "filter_nlm")
    assert sum(heavy) / 1e6 == pytest.approx(stage["seconds"], rel=0.01)


def test_it_stops_in_time_and_keeps_nothing(clip, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(SLEEPY)
    (tmp_path / "p.yaml").write_text("stages:\n  - python: {file: own.py, function: sleepy}\n")
    done = visionkit("profile", "p.yaml", clip, "--allow-code", "--seconds", "0.3", "--workers", "1")
    assert done.returncode == 0, done.stderr
    frames = int(done.stdout.split()[0])
    assert 0 < frames < FRAMES
    assert "bottleneck" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "__pycache__") == ["own.py", "p.yaml"]


def test_results_that_are_there_are_replaced_only_when_asked(clip, tmp_path) -> None:
    (tmp_path / "p.yaml").write_text("stages: [filter.blur]\noutputs: [jsonl]\n")
    words = ("profile", tmp_path / "p.yaml", clip, "--limit", "3", "-o", tmp_path / "out")
    assert visionkit(*words).returncode == 0
    kept = tmp_path / "out" / "results.jsonl"
    kept.write_text("mine")
    again = visionkit(*words)
    assert (again.returncode, "already" in again.stderr, kept.read_text()) == (5, True, "mine")
    assert visionkit(*words, "--overwrite").returncode == 0
    assert kept.read_text() != "mine"


def test_without_an_input() -> None:
    done = visionkit("profile", "edges")
    assert done.returncode == 2
    assert "an input" in done.stderr
