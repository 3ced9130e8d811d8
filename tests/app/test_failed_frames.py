"""What is written of a frame that a stage failed on."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.app.test_run import picture, video, visionkit

FAILS = """
stages:
  - contours: {id: things}
  - python: {file: fails.py, function: f}
  - DRAW: {in: {objects: things}}
"""


@pytest.fixture
def run(tmp_path: Path):
    """A run of a pipeline that fails on every frame and would have drawn with the stage given."""

    def runs(draw: str, source: Path) -> list[Path]:
        (tmp_path / "fails.py").write_text("def f(x):\n    raise ValueError('never')\n")
        (tmp_path / "p.yaml").write_text(FAILS.replace("DRAW", draw))
        done = visionkit("run", tmp_path / "p.yaml", source, "-o", tmp_path / "out", "--allow-code")
        assert done.returncode == 3, done.stderr
        return [path for path in (tmp_path / "out").iterdir() if path.suffix in {".jpg", ".mp4"}]

    return runs


@pytest.mark.parametrize("draw", ["draw.boxes", "draw.blur"])
def test_of_a_picture_that_failed_nothing_is_written(run, tmp_path: Path, draw: str) -> None:
    assert run(draw, picture(tmp_path / "face.jpg")) == []


@pytest.mark.parametrize(("draw", "bare"), [("draw.boxes", True), ("draw.blur", False), ("draw.pixelate", False)])
def test_a_frame_that_failed_is_bare_unless_something_was_to_be_hidden(run, tmp_path: Path, draw, bare) -> None:
    source = tmp_path / "clip.mp4"
    video(source, 30)
    (made,) = run(draw, source)
    with av.open(str(made)) as container:
        frames = [frame.to_ndarray(format="gray").mean() for frame in container.decode(video=0)]
    assert len(frames) == 30
    assert bool(max(frames) > 20) is bare
