"""The networks trained by visionkit: right on pictures they have never seen, through the stages that run them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visionkit.backends import Settings, load_model
from visionkit.data import Image
from visionkit.stages.detect.detect import Detect, DetectParams
from visionkit.stages.segment.segment import Segment, SegmentParams
from visionkit.weights import Catalogue, Store

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("pycocotools")
PICTURES = 8


class Context:
    """Loads a network by its name in the catalogue."""

    def model(self, name: str, task: str) -> object:
        entry = Catalogue.load().get(name)
        return load_model(entry, Store().pull(entry), Settings())


def held_out(root: Path, data: Path, reader: str, split: str) -> list:
    """The first pictures of the test part."""
    from visionkit.train import samples

    names = samples.read_split(root / "weights" / "splits" / f"{split}.json", ["test"])
    return getattr(samples, reader)(data / split, names[:PICTURES])


def picture(sample) -> Image:
    return Image(np.ascontiguousarray(sample.image.permute(1, 2, 0).numpy()), "rgb")


@pytest.mark.parametrize(
    ("weights", "reader", "split"),
    [
        ("faster_rcnn_mobilenet_bccd", "load_bccd", "bccd"),
        ("ssdlite_mobilenet_person", "load_pennfudan", "pennfudan"),
    ],
)
def test_detectors_find_what_is_there(root, shared_data, weights, reader, split) -> None:
    from visionkit.train.metrics import box_scores

    samples = held_out(root, shared_data, reader, split)
    stage = Detect(DetectParams(weights=weights, min_score=0.05))
    stage.open(Context())
    found = [stage.run([picture(sample)])[0] for sample in samples]
    names = Catalogue.load().get(weights).classes
    assert all(name in names for one in found for name in one.class_name)
    rows = [
        {
            "boxes": torch.from_numpy(one.xyxy.copy()),
            "labels": torch.from_numpy(one.class_id.astype(np.int64) + 1),
            "scores": torch.from_numpy(one.score.copy()),
        }
        for one in found
    ]
    scores = box_scores(rows, samples, names)
    assert scores.map50 >= 0.8, scores


@pytest.mark.parametrize(
    ("weights", "reader", "split", "least"),
    [
        ("unet_mobilenet_membrane", "load_membrane", "membrane", {"f1": 0.9}),
        ("unet_mobilenet_person", "load_pennfudan", "pennfudan", {"iou": 0.75}),
    ],
)
def test_segmenters_see_what_is_there(root, shared_data, weights, reader, split, least) -> None:
    from visionkit.train.metrics import pixel_scores

    samples = held_out(root, shared_data, reader, split)
    stage = Segment(SegmentParams(weights=weights))
    stage.open(Context())
    masks = [torch.from_numpy(stage.run([picture(sample)])[0].ids > 0) for sample in samples]
    scores = pixel_scores(masks, [sample.mask > 0 for sample in samples])
    assert all(getattr(scores, name) >= value for name, value in least.items()), scores
