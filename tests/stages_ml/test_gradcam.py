"""``classify.gradcam`` by what it must show."""

from __future__ import annotations

import numpy as np
import pytest

from visionkit.data import Image
from visionkit.errors import VisionkitError
from visionkit.stages.classify.gradcam import GradCam, GradCamParams
from visionkit.weights import Catalogue

pytest.importorskip("torch")


def test_heat_lies_on_the_animal(opened, photos) -> None:
    stage = opened(GradCam(GradCamParams()))
    (heat,) = stage.run([photos[1]])  # a giraffe in the right half
    assert heat.values.shape == (photos[1].height, photos[1].width)
    assert heat.values.max() == pytest.approx(1, abs=0.02)
    on_it = heat.values[80:350, 380:500].mean()
    elsewhere = heat.values[80:350, 140:300].mean()
    assert on_it > 3 * elsewhere


def test_the_class_asked_for_decides(opened, photos) -> None:
    best = opened(GradCam(GradCamParams())).run([photos[3]])[0].values
    zebra = opened(GradCam(GradCamParams(class_name="zebra"))).run([photos[3]])[0].values
    sofa = opened(GradCam(GradCamParams(class_name="studio couch"))).run([photos[3]])[0].values
    np.testing.assert_allclose(best, zebra, atol=1e-5)
    assert np.abs(best - sofa).mean() > 0.05


def test_a_batch_is_its_parts_and_the_shared_network_stays_clean(opened, models, photos) -> None:
    stage = opened(GradCam(GradCamParams()))
    grey = Image(photos[0].gray(), "gray")
    images = [*photos[:2], grey, Image(np.zeros((1, 1, 3), np.uint8))]
    for image, together in zip(images, stage.run(images), strict=True):
        (alone,) = stage.run([image])
        np.testing.assert_allclose(alone.values, together.values, atol=2e-3)
    shared = models.model("mobilenet_v2", "classify").module
    assert not any(part._forward_hooks for part in shared.modules())


def test_problems(opened) -> None:
    catalogue = Catalogue.load()
    ((name, message, help_),) = GradCam.check(GradCamParams(class_name="zebbra"), catalogue)
    assert name == "class_name"
    assert "zebbra" in message
    assert "zebra" in help_
    with pytest.raises(VisionkitError, match="gives no gradients"):
        opened(GradCam(GradCamParams(weights="mobilenet_v2_onnx")))
