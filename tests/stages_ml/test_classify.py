"""``classify`` against torchvision's own pipeline."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.accuracy.classification import ByHand, apart, model_of, ours
from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stages.classify.classify import Classify, ClassifyParams, sigmoid, softmax
from visionkit.weights import Catalogue


def test_logits_equal_torchvisions_own_pipeline(opened, models, photos) -> None:
    pytest.importorskip("torchvision")
    stage, library = opened(Classify(ClassifyParams(weights="mobilenet_v2", top_k=1000))), ByHand(models)
    assert list(stage._model.entry.classes) == library.names
    for image in photos:
        wanted = library.logits(image)
        np.testing.assert_allclose(ours(stage._model, image), wanted, atol=2e-4)
        (labels,) = stage.run([image])
        np.testing.assert_allclose(labels.scores, np.sort(softmax(wanted))[::-1], atol=1e-4)
        assert labels.class_name == library.names[int(wanted.argmax())]


@pytest.mark.parametrize(
    "name",
    [
        "alexnet",
        "resnet18",
        "efficientnet_b0",
        pytest.param("convnext_tiny", marks=pytest.mark.slow),
        pytest.param("vgg11", marks=pytest.mark.nightly),
        pytest.param("vgg16", marks=pytest.mark.nightly),
        pytest.param("vit_b_16", marks=pytest.mark.nightly),
    ],
)
def test_logits_of_every_architecture_equal_torchvisions_own_pipeline(models, photos, name) -> None:
    pytest.importorskip("torchvision")
    catalogue = Catalogue.load()
    entry = catalogue.get(name if name in catalogue else "vgg16").model_copy(update={"loader": f"torchvision:{name}"})
    library = ByHand(models, name)
    model = model_of(entry, library)
    assert list(entry.classes) == library.names
    wanted = [library.logits(image) for image in photos[:3]]
    assert apart([ours(model, image) for image in photos[:3]], wanted) < 0.01
    blurred = [Image(np.asarray(cv2.blur(image.bgr(), (5, 5)))) for image in photos[:3]]
    assert apart([ours(model, image) for image in blurred], wanted) > 0.02, "it would show if pixels were others"


def test_batch_equals_its_parts(opened, photos) -> None:
    pytest.importorskip("torch")
    stage = opened(Classify(ClassifyParams()))
    grey = Image(photos[0].gray(), "gray")
    tiny = Image(np.zeros((1, 1, 3), np.uint8))
    images = [*photos, grey, tiny]
    for image, together in zip(images, stage.run(images), strict=True):
        (alone,) = stage.run([image])
        assert alone.class_id.tolist() == together.class_id.tolist()
        np.testing.assert_allclose(alone.scores, together.scores, atol=1e-3)
        assert len(together) == 5


def test_activations() -> None:
    logits = np.array([1.0, 2.0, -1000.0, 1000.0])
    assert softmax(logits).sum() == pytest.approx(1)
    assert softmax(logits)[3] == pytest.approx(1)
    np.testing.assert_allclose(sigmoid(np.array([0.0, 2.0, -1000.0, 1000.0])), [0.5, 0.880797, 0, 1], atol=1e-6)


class OneNetwork:
    """A model whose outputs are given."""

    device = "cpu"

    def __init__(self, entry, logits) -> None:
        self.entry, self.spec, self.logits = entry, entry.preprocessing, np.asarray(logits, np.float32)

    def infer(self, batch):
        return (np.repeat(self.logits[None], len(batch), 0),)


@pytest.mark.parametrize(
    ("logits", "settings", "params", "wanted"),
    [
        ([2.0], {"activation": "sigmoid"}, {}, {"yes": 0.880797, "no": 0.119203}),
        ([2.0, -1.0], {}, {"activation": "sigmoid", "min_score": 0.5}, {"no": 0.880797}),
        ([2.0, 2.0], {}, {}, {"no": 0.5, "yes": 0.5}),
        ([0.2, 0.8], {"activation": "none"}, {"top_k": 1}, {"yes": 0.8}),
    ],
)
def test_binary_multi_class_and_multi_label(logits, settings, params, wanted) -> None:
    entry = Catalogue.load().get("mobilenet_v2").model_copy(update={"classes": ("no", "yes"), "settings": settings})

    class Context:
        def model(self, name, task):
            return OneNetwork(entry, logits)

    stage = Classify(ClassifyParams(**params))
    stage.open(Context())
    (labels,) = stage.run([Image(np.zeros((5, 5, 3), np.uint8))])
    found = {labels.class_names[i]: float(s) for i, s in zip(labels.class_id, labels.scores, strict=True)}
    assert found == pytest.approx(wanted, abs=1e-5)
    assert list(found) == list(wanted)


def test_a_detector_is_no_classifier() -> None:
    ((name, message, help_),) = Classify.check(ClassifyParams(weights="ssd_mobilenet_v2"), Catalogue.load())
    assert name == "weights"
    assert "detect" in message
    assert "mobilenet_v2" in help_
