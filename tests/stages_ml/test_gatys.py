"""``style.gatys`` with real features: closer to the style, still the picture, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Image
from visionkit.errors import PipelineError, VisionkitError
from visionkit.lazy import cv2
from visionkit.stage.catalogue import stages
from visionkit.stages.style._features import Features

torch = pytest.importorskip("torch")
Gatys = stages().get("style.gatys")


class Talking:
    """The engine's hand, where reports are kept."""

    def __init__(self, models) -> None:
        self.models, self.device, self.heard = models, "cpu", []

    def model(self, name: str, task: str):
        return self.models.model(name, task)

    def report(self, message: str) -> None:
        self.heard.append(message)


@pytest.fixture
def style(samples: Path) -> Path:
    return samples / "style" / "starry_night.jpg"


def test_closer_to_the_style_and_still_the_picture(models, style, samples) -> None:
    context = Talking(models)
    stage = Gatys(Gatys.Params(style=style, steps=12, size=48))
    stage.open(context)
    image = Image(cv2.resize(cv2.imread(str(samples / "photos" / "china.jpg")), (96, 64)))
    made, again = stage.run([image, image])
    np.testing.assert_array_equal(made.rgb(), again.rgb())
    assert (made.width, made.height, made.canvas) == (96, 64, image.canvas)
    assert context.heard[0] == "style.gatys: step 3 of 12"
    assert context.heard[3] == "style.gatys: step 12 of 12"

    def apart(picture: Image) -> float:
        seen = stage._features(stage._planes(cv2.resize(picture.rgb(), (48, 32)))).textures
        return float(sum(((a - b) ** 2).sum() / (b**2).sum() for a, b in zip(seen, stage._wanted, strict=True)))

    with torch.no_grad():
        assert apart(made) < 0.75 * apart(image)
    likeness = np.corrcoef(made.gray().ravel(), image.gray().ravel())[0, 1]
    assert 0.5 < likeness < 0.99


def test_what_has_no_features_of_vgg(models, style) -> None:
    with pytest.raises(PipelineError, match="no features of VGG"):
        Pipeline.from_text(f"stages:\n  - style.gatys: {{style: '{style}', weights: mobilenet_v2}}")
    with pytest.raises(VisionkitError, match="is no VGG"):
        Features(models.model("mobilenet_v2", "classify"))


def test_a_vgg_of_torchvision_is_understood() -> None:
    """Its file is half a gigabyte, so its layers are looked at with weights by chance."""
    torchvision = pytest.importorskip("torchvision")
    from types import SimpleNamespace

    from visionkit.weights import Catalogue

    entry = Catalogue.load().get("vgg16")
    net = SimpleNamespace(features=torchvision.models.vgg16(weights=None).features)
    model = SimpleNamespace(module=net, spec=entry.preprocessing, device="cpu", entry=entry)
    with torch.no_grad():
        seen = Features(model)(torch.rand(1, 3, 64, 48))
    assert [len(gram) for gram in seen.textures] == [64, 128, 256, 512, 512]
    assert seen.content.shape == (1, 512, 8, 6)
