"""The networks trained by visionkit: right on pictures they have never seen, through the stages that run them."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.own_nets import DETECTORS, SEGMENTERS, detector_scores, held_out, segmenter_scores
from visionkit.backends import Settings, load_model
from visionkit.stages.detect.detect import Detect, DetectParams
from visionkit.stages.segment.segment import Segment, SegmentParams
from visionkit.weights import Catalogue, Store

pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("pycocotools")
PICTURES = 8


class Context:
    """Loads a network by its name in the catalogue."""

    def model(self, name: str, task: str) -> object:
        entry = Catalogue.load().get(name)
        return load_model(entry, Store().pull(entry), Settings())


@pytest.mark.parametrize("weights", DETECTORS)
def test_detectors_find_what_is_there(shared_data, weights) -> None:
    reader, split, least = DETECTORS[weights]
    stage = Detect(DetectParams(weights=weights, min_score=0.05))
    stage.open(Context())
    assert detector_scores(stage, held_out(shared_data, reader, split, PICTURES)).map50 >= least


@pytest.mark.parametrize("weights", SEGMENTERS)
def test_segmenters_see_what_is_there(shared_data, weights) -> None:
    reader, split, metric, least = SEGMENTERS[weights]
    stage = Segment(SegmentParams(weights=weights))
    stage.open(Context())
    assert getattr(segmenter_scores(stage, held_out(shared_data, reader, split, PICTURES)), metric) >= least
