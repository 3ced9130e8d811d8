"""``detect`` against the libraries called by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.detection import ssd_by_hand, ssd_network
from visionkit.data import Image
from visionkit.errors import VisionkitError
from visionkit.stages.detect.detect import Detect, DetectParams
from visionkit.weights import Catalogue


def test_ssd_equals_opencv_called_by_hand(opened, models, photos) -> None:
    stage = opened(Detect(DetectParams(iou=1.0, min_score=0.3)))
    net = ssd_network(models)
    total = 0
    for image in photos:
        (found,) = stage.run([image])
        wanted = ssd_by_hand(net, image, 0.3)
        assert found.class_id.tolist() == wanted[:, 0].astype(int).tolist()
        np.testing.assert_allclose(found.score, wanted[:, 1], atol=1e-5)
        np.testing.assert_allclose(found.xyxy, wanted[:, 2:], atol=0.02)
        total += len(found)
    assert total > 10


def test_batch_equals_its_parts_in_one_call(opened, photos, monkeypatch) -> None:
    stage = opened(Detect(DetectParams()))
    calls = []
    infer = stage._model.infer
    monkeypatch.setattr(stage._model, "infer", lambda batch: calls.append(len(batch)) or infer(batch))
    together = stage.run(photos)
    assert calls == [len(photos)]
    for image, found in zip(photos, together, strict=True):
        (alone,) = stage.run([image])
        np.testing.assert_allclose(found.xyxy, alone.xyxy, atol=0.5)
        np.testing.assert_allclose(found.score, alone.score, atol=1e-3)
        assert found.canvas is image.canvas


def test_what_is_kept(opened, photos) -> None:
    everything = opened(Detect(DetectParams(min_score=0.05))).run(photos)
    giraffes = opened(Detect(DetectParams(min_score=0.05, classes=("giraffe",), top_k=1))).run(photos)
    for all_, some in zip(everything, giraffes, strict=True):
        wanted = [s for s, n in zip(all_.score, all_.class_name, strict=True) if n == "giraffe"][:1]
        assert some.score.tolist() == wanted
    assert sum(map(len, giraffes)) >= 1
    fewer = opened(Detect(DetectParams(min_score=0.05, agnostic=True, iou=0.3))).run(photos)
    assert sum(map(len, fewer)) < sum(map(len, everything))


@pytest.mark.parametrize("shape", [(1, 1), (7, 301), (301, 3)])
def test_odd_sizes_and_grey(opened, shape) -> None:
    stage = opened(Detect(DetectParams(min_score=0.0)))
    (found,) = stage.run([Image(np.full(shape, 90, np.uint8), "gray")])
    assert (found.xyxy >= 0).all()
    assert (found.xyxy <= [shape[1], shape[0]] * 2).all()


def test_problems_are_found_before_anything_runs() -> None:
    catalogue = Catalogue.load()
    problems = Detect.check(DetectParams(classes=("persn", "car", "dogg")), catalogue)
    assert [p[0] for p in problems] == ["classes", "classes"]
    assert "'persn'" in problems[0][1]
    assert "'person'" in problems[0][2]
    (wrong,) = Detect.check(DetectParams(weights="mobilenet_v2"), catalogue)
    assert wrong[0] == "weights"
    assert "classify" in wrong[1]
    assert "ssd_mobilenet_v2" in wrong[2]
    assert not Detect.check(DetectParams(classes=("person",)), catalogue)


def test_an_unknown_class_is_refused_at_open_too(opened) -> None:
    with pytest.raises(VisionkitError, match="'persn' is not a class"):
        opened(Detect(DetectParams(classes=("persn",))))
