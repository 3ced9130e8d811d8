"""Batches, workers and the order of inputs change how fast networks run, not what they find."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Detections
from visionkit.errors import WeightsError
from visionkit.media.sources import SourceOptions
from visionkit.weights import Catalogue, Store

PIXELS, SCORE, LEAST = 0.5, 1e-3, 0.2
"""How far apart boxes and scores may be, and ``min_score``: boxes within ``SCORE`` of it may come and go."""


def found(pipeline: Pipeline, sources: list[str], seconds: float, **settings: Any) -> dict[Any, Detections]:
    """What a run finds in each frame."""
    results = pipeline.with_settings(**settings).run(*sources, options=SourceOptions(to=seconds))
    return {result.packet.key: result.detections for result in results}


def partner(box: Any, score: float, class_id: int, among: Detections, free: set[int]) -> int | None:
    """The number of the detection in ``among`` that is the same, None if there is none."""
    for i in sorted(free):
        near = np.abs(among.xyxy[i] - box).max() <= PIXELS and abs(among.score[i] - score) <= SCORE
        if near and among.class_id[i] == class_id:
            return i
    return None


def same(ours: Detections, theirs: Detections) -> int:
    """How many detections are the same; asserts that all are but those at the threshold."""
    free, pairs = set(range(len(theirs))), 0
    for box, score, class_id in zip(ours.xyxy, ours.score, ours.class_id, strict=True):
        match = partner(box, float(score), int(class_id), theirs, free)
        assert match is not None or score <= LEAST + SCORE, (box, score, theirs.xyxy, theirs.score)
        if match is not None:
            free.remove(match)
            pairs += 1
    assert all(theirs.score[i] <= LEAST + SCORE for i in free)
    return pairs


# Whether the other source comes first, batch, workers. With (False, 1, 1), these three have every pair of values.
PAIRWISE = [(False, 8, 4), (True, 1, 4), (True, 8, 1)]
OTHERS = [(False, 1, 4), (False, 8, 1), (True, 1, 1), (True, 8, 4)]


@pytest.mark.parametrize(
    "runs", [PAIRWISE, pytest.param(OTHERS, marks=pytest.mark.nightly)], ids=["pairwise", "others"]
)
@pytest.mark.parametrize(("weights", "seconds"), [("ssd_mobilenet_v2", 0.15), ("yolo11n", 0.05)])
def test_networks_find_the_same_however_they_are_run(
    samples: Path, weights: str, seconds: float, runs: list[tuple[bool, int, int]]
) -> None:
    if weights == "yolo11n":
        pytest.importorskip("ultralytics")
    try:
        Store(offline=True).pull(Catalogue.load().get(weights))
    except WeightsError:
        pytest.skip(f"the weights {weights} are not on this machine")
    pipeline = Pipeline.from_text(f"stages:\n  - detect: {{weights: {weights}, min_score: {LEAST}}}\n")
    sources = [str(samples / "walk.mp4"), str(samples / "traffic.mp4")]
    wanted = found(pipeline, sources, seconds, batch=1, workers=1)
    assert {key.source for key in wanted} == {"walk.mp4", "traffic.mp4"}
    for turned, batch, workers in runs:
        run = found(pipeline, sources[::-1] if turned else sources, seconds, batch=batch, workers=workers)
        assert run.keys() == wanted.keys()
        assert sum(same(run[key], wanted[key]) for key in wanted) >= len(wanted)
