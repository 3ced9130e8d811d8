"""Gross losses of speed: processor time, which other programs hardly change, against twice what is published."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median

import pytest

from benchmarks import inputs
from benchmarks.child import run as child
from benchmarks.suites import engine, filters
from benchmarks.timing import in_turn, ratio

pytestmark = [pytest.mark.alone, pytest.mark.slow]


def test_the_engine() -> None:
    """A fused stage that does nothing costs 0.5 to 1 µs, a hop between workers 5 to 7."""
    few, many = engine.FUSED
    near, far = engine.HOPS
    jobs = {
        "few": engine.fused(few),
        "many": engine.fused(many),
        "near": engine.hopping(near),
        "far": engine.hopping(far),
    }
    found = in_turn(jobs, 5)
    assert engine.per(found["many"], found["few"], (many - few) * engine.FRAMES).value < 3
    assert engine.per(found["far"], found["near"], (far - near) * engine.FRAMES).value < 30


def test_a_filter_video_costs_little_more_than_its_library_calls(tmp_path: Path) -> None:
    """Blur and Canny at 720p with the same x264: 1.1 times the processor time of a serial loop of the same calls."""
    source = str(inputs.video(tmp_path / "in.mp4", 40))
    text = filters.FILTER.replace("SPEED", "default")
    jobs = {
        "loop": partial(child, filters.serial_video, source=source, out=str(tmp_path / "loop.mp4"), x264="default"),
        "ours": partial(child, filters.visionkit_job, text=text, source=source, out=str(tmp_path / "out")),
    }
    found = in_turn(jobs, 3, warm_up=0)
    assert ratio(found["ours"], found["loop"], "cpu").value < 1.6
    assert median(sample.peak for sample in found["ours"]) < 600, "megabytes"
