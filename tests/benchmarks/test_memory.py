"""Memory stays where it is while a video runs: the real engine, a video and a table as outputs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import inputs
from benchmarks.child import measure
from benchmarks.suites.memory import BOUND, FRAMES, readings, slope

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads resident memory from /proc")


def grown(folder: Path, frames: int, settled: int) -> float:
    """Megabytes per thousand frames after frame ``settled``."""
    source = inputs.video(folder / "in.mp4", frames, 320, 180)
    points = measure(readings, source=str(source), out=str(folder / "out"))[1]
    assert points[-1][0] >= frames - 26
    assert (folder / "out" / "in.mp4").exists()
    assert len((folder / "out" / "results.jsonl").read_text("utf-8").splitlines()) == frames
    return slope(points, settled)


def test_a_leak_would_show() -> None:
    noise = [0.0, 3.0, 1.0, 2.0]
    flat = [(i, 100 + noise[i % 4]) for i in range(0, 1000, 25)]
    assert abs(slope(flat, 0)) < BOUND
    assert slope([(i, mb + i * 0.002) for i, mb in flat], 0) == pytest.approx(2.0, abs=0.5)
    assert slope([*flat[:-1], (975, 400.0)], 0) < BOUND, "one jump is no slope"


@pytest.mark.slow
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_memory_is_flat(tmp_path: Path) -> None:
    """A tenth of the long video, so the bound is wider: allocators settle for up to 2,000 frames under load."""
    assert grown(tmp_path, FRAMES // 10, 500) < 2


@pytest.mark.nightly
@pytest.mark.alone
@pytest.mark.timeout(3600)
def test_memory_is_flat_over_a_long_video(tmp_path: Path) -> None:
    assert grown(tmp_path, FRAMES, 500) < BOUND
