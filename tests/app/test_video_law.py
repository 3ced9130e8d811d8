"""The bundled video with sound and a variable frame rate comes out with the same times and the same sound."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from visionkit import Pipeline


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [Fraction(f.pts) * f.time_base for f in container.decode(stream) if f.pts is not None and f.time_base]


def audio(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


@pytest.mark.parametrize("name", ["walk.mp4", "traffic.mp4"])
def test_times_and_sound_are_the_sources(name: str, samples: Path, tmp_path: Path) -> None:
    source = samples / name
    pipeline = Pipeline.from_text("stages:\n  - filter.blur: {size: 3}\n")
    summary = pipeline.write(str(source), out=tmp_path)
    before, after = times(source), times(tmp_path / name)
    assert summary.out == len(before)
    assert [t - before[0] for t in before] == [t - after[0] for t in after]
    assert audio(source) == audio(tmp_path / name)
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]
    assert [row["pts"] for row in rows] == pytest.approx([float(t - before[0]) for t in before], abs=1e-6)
    if name == "walk.mp4":
        steps = {b - a for a, b in pairwise(before)}
        assert len(steps) > 2, "the sample has a variable frame rate"
