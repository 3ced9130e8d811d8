"""Our networks: what they take, what they return, how big they are, and that no part of them is dead."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from visionkit.nets import faster_rcnn_mobilenet, mobilenet_features, ssdlite_mobilenet, unet_mobilenet

torch = pytest.importorskip("torch")

DETECTORS = [faster_rcnn_mobilenet, ssdlite_mobilenet]


def build_unet(depth: int) -> Any:
    pytest.importorskip("segmentation_models_pytorch")
    return unet_mobilenet(depth=depth)


def test_importing_the_builders_imports_no_torch() -> None:
    code = "import sys, visionkit.nets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("build", DETECTORS)
@pytest.mark.parametrize("size", [(61, 97), (1, 1)])
def test_a_detector_returns_boxes_inside_pictures_of_any_size(build: Callable[..., Any], size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    net = build(3).eval()
    with torch.inference_mode():
        found = net([torch.rand(3, *size), torch.rand(3, 80, 50)])
    assert [set(columns) for columns in found] == [{"boxes", "labels", "scores"}] * 2
    boxes, labels = found[0]["boxes"], found[0]["labels"]
    assert (boxes >= 0).all()
    assert (boxes[:, 0::2] <= size[1]).all()
    assert (boxes[:, 1::2] <= size[0]).all()
    assert ((labels >= 1) & (labels <= 3)).all()


@pytest.mark.parametrize("build", DETECTORS)
def test_every_parameter_of_a_detector_learns(build: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    features = mobilenet_features()
    net = build(2, features=features).train()
    target = {"boxes": torch.tensor([[30.0, 20, 140, 150]]), "labels": torch.tensor([2])}
    sum(net([torch.rand(3, 160, 160)] * 2, [target] * 2).values()).backward()
    # Faster R-CNN's pyramid ends at block 17, so block 18 is not in it.
    assert [name for name, value in net.named_parameters() if value.grad is None] == []
    assert features[0][0].weight.grad is not None, "the blocks that were handed in are not part of the network"


@pytest.mark.parametrize("depth", [4, 5])
def test_a_unet_returns_a_logit_for_every_pixel_and_all_of_it_learns(depth: int) -> None:
    net = build_unet(depth).train()
    logits = net(torch.rand(2, 3, 64, 96))
    assert logits.shape == (2, 1, 64, 96)
    logits.square().mean().backward()
    assert [name for name, value in net.named_parameters() if value.grad is None] == []


def test_a_unet_is_built_on_the_blocks_it_is_given() -> None:
    pytest.importorskip("segmentation_models_pytorch")
    features = mobilenet_features()
    net = unet_mobilenet(features=features, depth=4)
    assert list(net.encoder.features) == list(features[:14])


def test_half_precision_files_stay_below_ten_megabytes() -> None:
    nets = {
        "faster_rcnn": faster_rcnn_mobilenet(3),
        "ssdlite": ssdlite_mobilenet(1),
        "unet4": build_unet(4),
        "unet5": build_unet(5),
    }
    megabytes = {name: sum(v.numel() for v in net.state_dict().values()) * 2 / 1e6 for name, net in nets.items()}
    assert {name: round(size, 1) for name, size in megabytes.items()} == {
        "faster_rcnn": 8.3,
        "ssdlite": 6.2,
        "unet4": 2.0,
        "unet5": 8.4,
    }
