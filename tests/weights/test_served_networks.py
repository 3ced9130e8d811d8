"""The catalogue's networks of torchvision: official files fit what is built, and one goes all the way from a server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from tests.fresh import awake
from tests.weights.conftest import Site
from visionkit.app.weights_commands import weights
from visionkit.backends import ModelCache
from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.lazy import cv2
from visionkit.resources import resource_dir
from visionkit.stage.catalogue import stages
from visionkit.testing.context import CountingContext
from visionkit.weights import Catalogue, Store, user_weights_dir

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
SHIPPED = [one.name for one in Catalogue.load().entries() if one.loader.startswith("torchvision:")]


def as_published(name: str) -> Any:
    """A fresh network, made as torchvision makes the one it fills with the official file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torchvision.models.WeightsEnum, "get_state_dict", lambda *_, **__: {})
        patch.setattr(torch.nn.Module, "load_state_dict", lambda *_, **__: None)
        return torchvision.models.get_model(name, weights="DEFAULT").eval()


def shapes(net: Any) -> dict[str, tuple[int, ...]]:
    """By tensor; the counter that only training needs is not in every file."""
    return {key: tuple(one.shape) for key, one in net.state_dict().items() if "num_batches" not in key}


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_built_takes_the_official_file(name: str) -> None:
    entry = Catalogue.load().get(name)
    network = entry.loader.partition(":")[2]
    options = {"num_classes": len(entry.classes), **entry.settings.get("build", {})}
    if "fpn" in network or "ssd" in network or entry.task == "segment":
        options["weights_backbone"] = None
    with torch.device("meta"):
        ours = shapes(torchvision.models.get_model(network, weights=None, **options))
        assert ours == shapes(as_published(network))


@pytest.fixture
def street(samples: Path) -> np.ndarray:
    return np.asarray(cv2.resize(cv2.imread(str(samples / "photos" / "street.jpg")), (320, 256)))


@pytest.fixture
def published(site: Site, street: np.ndarray) -> Any:
    """An entry of the catalogue whose official file is a fresh network on the server of this machine."""

    def publish(name: str, part: str = "") -> Any:
        torch.manual_seed(0)
        net, path = as_published(name), user_weights_dir() / "made.pth"
        awake(net.get_submodule(part), np.stack([street, street[::-1]]))
        for key, bias in net.named_parameters():
            if "classification_head" in key and key.endswith("bias") and bias.numel() % 91 == 0:
                bias.data.view(-1, 91)[:, 1] += 3.0  # keen on people
        path.parent.mkdir(parents=True)
        torch.save(net.state_dict(), path)
        values = YAML(typ="safe").load(next(resource_dir("weights").glob(f"*/{name}.yaml")).read_text("utf-8"))
        site.pages["/net.pth"] = path.read_bytes()
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        source = {"url": f"{site.url}/net.pth"}
        values["files"] = [{"name": "net.pth", "size": path.stat().st_size, "sha256": digest, "sources": [source]}]
        entry = user_weights_dir() / Catalogue.load().get(name).task / "fresh.yaml"
        entry.parent.mkdir()
        with entry.open("w", encoding="utf-8") as file:
            YAML(typ="safe").dump(values, file)
        return net

    return publish


def opened(task: str, **params: Any) -> Any:
    made = stages().get(task)
    stage = made(made.Params(weights="fresh", **params))
    stage.open(CountingContext(ModelCache(Catalogue.load(), Store(offline=True))))
    return stage


def test_from_the_server_to_the_boxes(published: Any, site: Site, street: np.ndarray) -> None:
    net = published("ssdlite320_mobilenet_v3_large", "backbone")
    assert CliRunner().invoke(weights, ["pull", "fresh"]).exit_code == 0
    assert site.requests == [("/net.pth", None)]
    image = Image(street)
    stage = opened("detect", min_score=0.1, iou=1.0)
    (found,) = stage.run([image])
    with torch.inference_mode():
        wanted = net([torch.from_numpy(image.rgb().copy()).permute(2, 0, 1) / 255])[0]
    keep = wanted["scores"] >= 0.1
    assert len(found) == int(keep.sum()) > 0
    np.testing.assert_allclose(found.score, wanted["scores"][keep], atol=1e-4)
    apart = np.abs(found.xyxy[:, None] - wanted["boxes"][keep].numpy()).max(axis=2)
    assert (apart.min(axis=1) < 0.5).mean() > 0.98, "but for the last places, where scores are equal"
    assert set(found.class_name) == {"person"}
    stage.close()


def test_from_the_server_to_the_mask(published: Any, street: np.ndarray) -> None:
    net = published("deeplabv3_mobilenet_v3_large")
    assert CliRunner().invoke(weights, ["pull", "fresh"]).exit_code == 0
    image = Image(cv2.resize(street, (520, 520)))  # nothing to resize on the way
    stage = opened("segment")
    (mask,) = stage.run([image])
    spec = Catalogue.load().get("fresh").preprocessing
    assert spec is not None
    planes = (image.rgb() / 255 - spec.mean) / spec.std
    with torch.inference_mode():
        logits = net(torch.from_numpy(planes.astype(np.float32)).permute(2, 0, 1)[None])["out"][0]
    score = logits.softmax(0).max(0).values.numpy()
    np.testing.assert_allclose(mask.score, score, atol=0.01)
    assert (mask.ids == logits.argmax(0).numpy()).mean() > 0.99
    assert len(np.unique(mask.ids)) > 2
    stage.close()


def test_another_file_than_the_entry_names_never_becomes_a_network(published: Any, site: Site) -> None:
    published("mobilenet_v3_small")
    site.pages["/net.pth"] = site.pages["/net.pth"][:-1] + b"!"
    with pytest.raises(WeightsError) as caught:
        Store().pull(Catalogue.load().get("fresh"))
    assert caught.value.code == "VK313"
    with pytest.raises(WeightsError):
        opened("classify")
