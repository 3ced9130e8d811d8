"""Gross losses of speed: processor time, which other programs hardly change, against twice what is published."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from statistics import median

import pytest

from benchmarks import inputs
from benchmarks.child import run as child
from benchmarks.suites import encode, engine, filters, folder
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


def test_a_folder_costs_no_more_than_the_loop(tmp_path: Path) -> None:
    """Read, scale, write: 0.8 times the processor time of a loop of the same calls on one thread."""
    source = str(inputs.photos(tmp_path / "photos", 24))
    jobs = {
        "loop": partial(child, folder.loop, source=source, out=str(tmp_path / "loop"), threads=1),
        "ours": partial(child, folder.pipeline, source=source, out=str(tmp_path / "ours")),
    }
    found = in_turn(jobs, 3, warm_up=0)
    assert ratio(found["ours"], found["loop"], "cpu").value < 1.4


def test_h264_takes_half_the_room(tmp_path: Path, samples: Path) -> None:
    """A quarter of cv2's mp4v at the same likeness, on this rendered video."""
    source, path = str(samples / "walk.mp4"), str(tmp_path / "mp4v.mp4")
    encode.mp4v(source, path, 30)()
    ours = encode.size_at(encode.likeness(source, path), source, tmp_path, 30, "default")
    assert ours < 0.5 * Path(path).stat().st_size
