"""Style networks: what they give when called by hand, at any size, and errors that say what to write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.style import arbitrary, fast
from visionkit import Pipeline
from visionkit.data import Image
from visionkit.errors import PipelineError, UsageError
from visionkit.stage.catalogue import stages
from visionkit.testing import frames

Fast, Arbitrary = stages().get("style.fast"), stages().get("style.arbitrary")


def test_fast_is_the_bare_network(opened, models) -> None:
    image = frames.shapes(121, 87)
    made = opened(Fast(Fast.Params(blend={4: 3.0, 9: 1.0}))).run([image])[0]
    weights = np.zeros(26, np.float32)
    weights[4], weights[9] = 0.75, 0.25
    assert np.abs(made.rgb() - fast(models, weights)(image).astype(int)).max() <= 1
    assert np.abs(made.rgb() - image.rgb().astype(float)).mean() > 10
    assert made.canvas is image.canvas


def test_arbitrary_is_the_bare_pair(opened, models, root: Path) -> None:
    style = root / "samples/style/starry_night.jpg"
    image = frames.shapes(384, 384)
    made = opened(Arbitrary(Arbitrary.Params(style=style))).run([image])[0]
    assert np.abs(made.rgb() - arbitrary(models, style)(image).astype(int)).max() <= 1


@pytest.mark.parametrize("size", [None, 40])
def test_every_size_and_strength(opened, size: int | None) -> None:
    image = Image(frames.shapes(75, 50).gray(), "gray")
    stage = opened(Fast(Fast.Params(size=size, strength=0.0)))
    assert np.abs(stage.run([image])[0].rgb() - image.rgb().astype(int)).max() <= 1


def test_wrong_styles_are_said_before_anything_is_loaded() -> None:
    for text, message in [
        ("style.fast: {style: 26}", "styles 0 to 25"),
        ("style.fast: {blend: {3: -1}}", "negative"),
        ("style.fast: {weights: arbitrary_style}", "no feed-forward"),
        ("style.arbitrary: {style: a.jpg, weights: styles26}", "style of a picture"),
    ]:
        with pytest.raises(PipelineError, match=message):
            Pipeline.from_text(f"stages:\n  - {text}")


def test_a_style_that_is_no_picture(opened, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no picture")
    for name, message in [("a.jpg", "no picture"), ("b.jpg", "cannot be read")]:
        with pytest.raises(UsageError, match=message):
            opened(Arbitrary(Arbitrary.Params(style=tmp_path / name)))


@pytest.mark.parametrize(
    ("stages_", "name"),
    [
        ("style.arbitrary: {style: own}", "style"),
        ("background.replace: {picture: own}", "picture"),
        ("labels: {path: own}", "path"),
        ("labels.mask: {path: own}", "path"),
        ("draw.title: {text: hello, font: own}", "font"),
    ],
)
def test_a_relative_path_lies_beside_the_pipeline_file(tmp_path: Path, stages_: str, name: str) -> None:
    (tmp_path / "own").write_bytes(b"")
    (tmp_path / "p.yaml").write_text(f"stages:\n  - matte\n  - {stages_}\n")
    node = Pipeline.load(tmp_path / "p.yaml").plan.root.nodes[-1]
    assert getattr(node.params, name) == tmp_path / "own"
