"""A user's own network is one import away: its library says how it is fed, and the stage gives what that gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from visionkit.app.weights_commands import weights
from visionkit.backends import ModelCache
from visionkit.data import Image
from visionkit.errors import UsageError
from visionkit.lazy import cv2
from visionkit.stage.catalogue import stages
from visionkit.stages.classify.classify import softmax
from visionkit.testing.context import CountingContext
from visionkit.weights import Catalogue, Store, import_file, user_weights_dir

torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
NAMES = ("background", "cell", "dish")


@pytest.fixture
def photo(samples: Path) -> Image:
    pixels = cv2.imread(str(min((samples / "photos").glob("*.jpg"))))
    return Image(cv2.resize(pixels, (200, 150), interpolation=cv2.INTER_AREA))


@pytest.fixture
def imported(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """The command imports a fresh network; gives the stage that runs it, opened."""
    (tmp_path / "n.txt").write_text("\n".join(NAMES), "utf-8")
    opened = []

    def run(net: Any, task: str, loader: str, *words: str, **params: Any) -> Any:
        torch.save(net.state_dict(), tmp_path / "mine.pth")
        line = ["import", str(tmp_path / "mine.pth"), "--task", task, "--classes", str(tmp_path / "n.txt")]
        done = CliRunner().invoke(weights, [*line, "--loader", loader, *words])
        assert done.exit_code == 0, done.output
        made = stages().get(task)
        opened.append(made(made.Params(weights="mine", **params)))
        opened[-1].open(CountingContext(ModelCache(Catalogue.load(), Store())))
        return opened[-1]

    yield run
    for stage in opened:
        stage.close()


def as_library(net: Any, prepare: Any, image: Image) -> Any:
    """What the network gives for a picture that its library made ready."""
    from PIL import Image as Pillow

    with torch.inference_mode():
        return net(prepare(Pillow.fromarray(image.rgb()))[None])


def close_to(stage: Any, image: Image, logits: Any) -> None:
    (labels,) = stage.run([image])
    assert labels.class_names == NAMES
    wanted = softmax(np.asarray(logits[0]))
    np.testing.assert_allclose(labels.scores, np.sort(wanted)[::-1], atol=1e-4)
    assert labels.class_name == NAMES[int(wanted.argmax())]


def test_a_classifier_of_torchvision(imported: Any, photo: Image) -> None:
    torch.manual_seed(0)
    net = torchvision.models.resnet18(num_classes=3).eval()
    prepare = torchvision.models.ResNet18_Weights.DEFAULT.transforms()
    close_to(imported(net, "classify", "torchvision:resnet18"), photo, as_library(net, prepare, photo))


def test_a_classifier_of_timm(imported: Any, photo: Image) -> None:
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    net = timm.create_model("vit_tiny_patch16_224", num_classes=3).eval()
    torch.nn.init.normal_(net.head.weight)  # its head begins with zeros
    prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(net))
    close_to(imported(net, "classify", "timm:vit_tiny_patch16_224"), photo, as_library(net, prepare, photo))


def test_a_detector_of_torchvision(imported: Any, photo: Image) -> None:
    torch.manual_seed(0)
    name = "ssdlite320_mobilenet_v3_large"
    net = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=3).eval()
    (found,) = imported(net, "detect", f"torchvision:{name}", min_score=0.3, iou=1.0).run([photo])
    wanted = as_library(net, torchvision.models.get_model_weights(name).DEFAULT.transforms(), photo)[0]
    keep = wanted["scores"] >= 0.3
    assert len(found) == int(keep.sum()) > 0
    np.testing.assert_allclose(found.score, wanted["scores"][keep], atol=1e-3)


def test_a_segmenter_of_torchvision(imported: Any, photo: Image) -> None:
    torch.manual_seed(0)
    name = "lraspp_mobilenet_v3_large"
    net = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=3).eval()
    logits = as_library(net, torchvision.models.get_model_weights(name).DEFAULT.transforms(), photo)["out"][0]
    close_masks(imported(net, "segment", f"torchvision:{name}"), photo, logits)


def test_a_unet_of_smp(imported: Any, photo: Image) -> None:
    smp = pytest.importorskip("segmentation_models_pytorch")
    torch.manual_seed(0)
    net = smp.Unet("tu-mobilenetv3_small_050", encoder_weights=None, classes=3).eval()
    stage = imported(net, "segment", "smp:Unet", "--setting", "build={encoder_name: tu-mobilenetv3_small_050}")
    said = smp.encoders.get_preprocessing_params("tu-mobilenetv3_small_050")
    even = Image(photo.bgr()[: photo.height // 32 * 32, : photo.width // 32 * 32].copy())

    def prepare(picture: Any) -> Any:
        pixels = (np.asarray(picture, np.float32) / 255 - said["mean"]) / said["std"]
        return torch.from_numpy(pixels.transpose(2, 0, 1).astype(np.float32))

    close_masks(stage, even, as_library(net, prepare, even)[0])


def close_masks(stage: Any, image: Image, logits: Any) -> None:
    """Away from borders, every pixel has the class that the library's call gives it."""
    (mask,) = stage.run([image])
    assert mask.class_names == NAMES
    planes = cv2.resize(logits.softmax(0).permute(1, 2, 0).numpy(), (image.width, image.height))
    second, first = np.sort(planes, axis=2)[..., -2:].transpose(2, 0, 1)
    clear = first - second > np.median(first - second)
    assert (mask.ids == planes.argmax(2))[clear].mean() > 0.99
    np.testing.assert_allclose(mask.score[clear].mean(), first[clear].mean(), atol=5e-3)


def test_without_names_the_library_knows_them(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(b"tensors")

    def entry(name: str, task: str, loader: str) -> Any:
        return import_file(path, task, name, loader=loader)

    assert entry("a", "classify", "torchvision:convnext_tiny").class_list == "imagenet1k"
    assert entry("b", "detect", "torchvision:fcos_resnet50_fpn").class_list == "coco91"
    assert entry("c", "segment", "torchvision:deeplabv3_resnet50").class_list == "voc21"
    assert entry("d", "detect", "torchvision:keypointrcnn_resnet50_fpn").classes == ("no person", "person")


def test_what_ships_is_fed_as_its_library_says(tmp_path: Path) -> None:
    """The catalogue's entries were written by hand."""
    path = tmp_path / "a.pth"
    path.write_bytes(b"tensors")
    shipped = [one for one in Catalogue.load().entries() if one.loader.startswith("torchvision:")]
    assert len(shipped) > 15
    for one in shipped:
        made = import_file(path, one.task, f"my-{one.name}", loader=one.loader)
        resize = made.preprocessing.resize  # of torchvision's newest weights; some that ship are its first
        assert made.preprocessing == one.preprocessing.model_copy(update={"resize": resize}), one.name
        assert made.classes == one.classes, one.name


@pytest.mark.parametrize(
    "loader",
    ["nets:unet.unet_mobilenet", "onnx", "torchvision:raft_small", "timm:dm_nfnet_f0", "smp:Unet"],
)
def test_what_nobody_can_feed_is_refused(tmp_path: Path, loader: str) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"tensors")
    build = {"settings": {"build": {"encoder_name": "inceptionv4"}}} if loader == "smp:Unet" else {}
    with pytest.raises(UsageError, match=r"how to feed .* is not known") as caught:
        import_file(path, "segment", "a", loader=loader, **build)  # type: ignore[arg-type]
    assert "--like" in caught.value.help
    assert "--preprocess" in caught.value.help
    assert not user_weights_dir().exists()
    assert import_file(path, "segment", "a", loader=loader, preprocessing={"size": [64, 64]}, **build)  # type: ignore[arg-type]


@pytest.mark.parametrize("loader", ["torchvision:resnet19", "timm:vit_tiny_patch17", "smp:Unett"])
def test_a_network_that_its_library_lacks(tmp_path: Path, loader: str) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(b"tensors")
    with pytest.raises(UsageError, match=r"has no (network|architecture)"):
        import_file(path, "classify", "a", loader=loader)
