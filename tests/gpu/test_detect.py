"""Detection whose pictures, outputs and suppression stay on the device: the objects are those of the CPU."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from visionkit.backends import cuda_fit, nms
from visionkit.backends.cuda_nms import kept
from visionkit.data import Image
from visionkit.stages.detect import detect as module
from visionkit.stages.detect._thin import Rules, thinned
from visionkit.stages.detect.decoders import View
from visionkit.stages.detect.decoders.yolo import decode
from visionkit.stages.detect.detect import Detect, DetectParams
from visionkit.testing.context import CountingContext

torch = pytest.importorskip("torch")


def crowd(rng, count, anchors=500, extras=0, classes=5):
    """Outputs of a YOLO: boxes in heaps, some beyond the edge, with ties among their scores."""
    centres = rng.uniform(-10, 650, (count, 2, 12))[:, :, rng.integers(0, 12, anchors)]
    boxes = np.concatenate([centres + rng.normal(0, 8, centres.shape), rng.uniform(20, 90, centres.shape)], 1)
    scores = np.round(rng.random((count, classes, anchors)) ** 4, 2)
    return np.concatenate([boxes, scores, rng.normal(size=(count, extras, anchors))], 1).astype(np.float32)


@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 1.0])
def test_suppression_is_the_hosts(device, agnostic, threshold) -> None:
    rng = np.random.default_rng(1)
    raw = crowd(rng, 1, 400)[0]
    boxes = np.concatenate([raw[:2] - raw[2:4] / 2, raw[:2] + raw[2:4] / 2]).T.copy()
    scores, classes = raw[4], rng.integers(0, 4, 400).astype(np.int32)
    wanted = nms(boxes, scores, None if agnostic else classes, threshold)
    group = torch.from_numpy(np.zeros_like(classes) if agnostic else classes).long()
    found = kept(*(t.to(device) for t in (torch.from_numpy(boxes), torch.from_numpy(scores), group)), threshold)
    assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("agnostic", [False, True])
@pytest.mark.parametrize("wanted", [None, (1, 3)])
@pytest.mark.parametrize("extras", [0, 1, 6])
def test_what_is_dropped_would_not_have_stayed(device, multi_label, agnostic, wanted, extras) -> None:
    raw = crowd(np.random.default_rng(2), 3, extras=extras)
    other = np.random.default_rng(3).random((3, 8, 4, 4)).astype(np.float32)
    stage = Detect(DetectParams(min_score=0.3, agnostic=agnostic, multi_label=multi_label))
    stage._wanted = list(wanted) if wanted else None
    rules = Rules(5, 0.3, 0.5, stage._wanted, agnostic, multi_label)
    parts = thinned([torch.from_numpy(one).to(device) for one in (raw, other)], rules)
    for row, part in enumerate(parts):
        assert part[0].shape[2] < raw.shape[2]
        np.testing.assert_array_equal(part[1], other[row : row + 1])
        whole = decode((raw,), View(row, 640, 640, 0.3, 5, {}, multi_label))
        few = decode(part[:1], View(0, 640, 640, 0.3, 5, {}, multi_label))
        (a, score_a), (b, score_b) = stage._kept(whole), stage._kept(few)
        assert len(a)
        np.testing.assert_array_equal(whole.xyxy[a], few.xyxy[b])
        np.testing.assert_array_equal(whole.class_id[a], few.class_id[b])
        np.testing.assert_array_equal(score_a, score_b)


def test_nothing_found(device) -> None:
    raw = torch.zeros(2, 9, 50, device=device)
    (first, second) = thinned([raw], Rules(5, 0.3, 0.5))
    assert first[0].shape == second[0].shape == (1, 9, 0)


@pytest.mark.parametrize(
    "weights",
    ["yolo11n", *(pytest.param(f"yolo11n-{kind}", marks=pytest.mark.nightly) for kind in ("seg", "pose"))],
)
def test_the_objects_are_those_of_the_host(samples, device, weights, monkeypatch) -> None:
    """Real photos through a real network, in one batch with different sizes."""
    pytest.importorskip("ultralytics")
    import cv2

    paths = [samples / "photos" / name for name in ("street.jpg", "sheep.jpg", "astronaut.jpg")]
    images = [Image(cv2.imread(str(path))) for path in paths]
    context = CountingContext(device=device)
    host = Detect(DetectParams(weights=weights, min_score=0.3))
    try:
        host.open(context)
    except Exception as error:
        pytest.skip(f"the weights are not here: {error}")
    wanted = host.run(images)
    monkeypatch.setattr(module, "fit_batch", lambda i, spec, margin, _: cuda_fit.fit_batch(i, spec, margin, device))
    forward = partial(type(host._model._model).forward, host._model._model)
    monkeypatch.setattr(host._model._model, "infer", None)  # all outputs would come down
    monkeypatch.setattr(host._model._model, "forward", forward)
    found = host.run(images)
    assert sum(len(one) for one in wanted) > 2
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.class_id.tolist() == theirs.class_id.tolist()
        np.testing.assert_allclose(ours.xyxy, theirs.xyxy, atol=0.5)
        np.testing.assert_allclose(ours.score, theirs.score, atol=1e-3)
        assert (ours.masks is None) == (theirs.masks is None)
        assert (ours.keypoints is None) == (theirs.keypoints is None)
