"""Learning itself: losses fall, seeds repeat, files load again, and a recipe runs from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from visionkit.nets import mobilenet_features, ssdlite_mobilenet  # noqa: E402  (they need torch)
from visionkit.train import recipes  # noqa: E402
from visionkit.train.augment import Augmentation  # noqa: E402
from visionkit.train.detector import score_detector, train_detector  # noqa: E402
from visionkit.train.export import load_backbone, load_half, save_half  # noqa: E402
from visionkit.train.loop import Schedule, shuffled_batches  # noqa: E402
from visionkit.train.recipes import RECIPES, Job, run  # noqa: E402
from visionkit.train.samples import Sample, load_bccd  # noqa: E402
from visionkit.train.segmenter import predict_mask, score_segmenter, train_segmenter  # noqa: E402

FLAT = Augmentation((64, 64), zoom=(1, 1.2))


def discs(count: int) -> list[Sample]:
    """Bright discs on noise, 64×64."""
    random = torch.Generator().manual_seed(1)
    y, x = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    samples = []
    for number in range(count):
        cx, cy = torch.randint(20, 44, (2,), generator=random).tolist()
        mask = ((x - cx) ** 2 + (y - cy) ** 2 < 15**2).to(torch.uint8)
        image = (torch.randint(0, 90, (3, 64, 64), generator=random) + 150 * mask).to(torch.uint8)
        box = torch.tensor([[cx - 15, cy - 15, cx + 16, cy + 16]], dtype=torch.float32)
        samples.append(Sample(str(number), image, box, torch.tensor([1]), mask))
    return samples


def test_every_item_comes_once_before_any_comes_twice() -> None:
    batches = shuffled_batches(range(5), 2, seed=3)
    drawn = [item for _ in range(5) for item in next(batches)]
    assert sorted(drawn[:5]) == sorted(drawn[5:]) == [0, 1, 2, 3, 4]
    assert drawn[:5] != drawn[5:]
    again = shuffled_batches(range(5), 2, seed=3)
    assert drawn == [item for _ in range(5) for item in next(again)]


def test_a_segmenter_learns_discs_and_a_seed_repeats_it() -> None:
    """On the smallest net that can: one 3×3 convolution and one across channels."""

    def fresh() -> torch.nn.Module:
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 1, 1))

    nets = [fresh(), fresh()]
    for net in nets:
        losses = train_segmenter(net, discs(6), Schedule(60, 3, 3e-2), FLAT, seed=7)
        assert losses[-1] < losses[0]
    assert all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True))
    scores = score_segmenter(nets[0], discs(2), (64, 64))
    assert scores.iou > 0.9
    assert predict_mask(nets[0], discs(1)[0].image, (32, 32)).shape == (64, 64)


def test_a_detector_s_loss_falls_and_it_can_be_scored() -> None:
    torch.manual_seed(0)
    net = ssdlite_mobilenet(1, size=64)
    start, end = (train_detector(net, discs(4), Schedule(8, 4), FLAT, seed=0)[0] for _ in range(2))
    assert end < start * 0.9
    pytest.importorskip("pycocotools")
    assert 0 <= score_detector(net, discs(2), ["disc"]).map50 <= 1


def test_saved_weights_give_what_was_scored(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = ssdlite_mobilenet(1, size=64).eval()
    sha256 = save_half(net, tmp_path / "new" / "net.safetensors", licence="MIT")
    again = load_half(ssdlite_mobilenet(1, size=64), tmp_path / "new" / "net.safetensors")
    with torch.inference_mode():
        first, second = (one([torch.ones(3, 64, 64) / 2])[0] for one in (net, again))
    assert torch.equal(first["boxes"], second["boxes"])
    assert len(sha256) == 64
    with pytest.raises(RuntimeError):
        load_half(ssdlite_mobilenet(2, size=64), tmp_path / "new" / "net.safetensors")


def test_the_backbone_file_is_read_without_its_classifier(tmp_path: Path) -> None:
    source = mobilenet_features()
    state = {f"features.{name}": value for name, value in source.state_dict().items()}
    torch.save(state | {"classifier.1.bias": torch.zeros(1000)}, tmp_path / "m.pth")
    features = load_backbone(mobilenet_features(), tmp_path / "m.pth")
    assert torch.equal(features[3].conv[0][0].weight, source[3].conv[0][0].weight)


def test_a_recipe_runs_and_says_what_it_did(
    cells: Path, split: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With views and batches as small as its pictures are."""
    pytest.importorskip("pycocotools")
    recipe = RECIPES["faster_rcnn_mobilenet_bccd"]
    small = replace(
        recipe,
        build=partial(recipe.build, min_size=64, max_size=80),
        augmentation=replace(recipe.augmentation, size=(64, 64)),
        schedule=replace(recipe.schedule, batch=2),
    )
    monkeypatch.setattr(recipes, "RECIPES", {"faster_rcnn_mobilenet_bccd": small})
    job = Job(cells, split, tmp_path / "out", seed=5, steps=1)
    scores = run("faster_rcnn_mobilenet_bccd", job)
    report = json.loads((tmp_path / "out" / "faster_rcnn_mobilenet_bccd-5.json").read_text())
    assert report["fit"] == {"parts": ["train", "val"], "pictures": 3}
    assert report["score"]["map50"] == scores.map50
    net = RECIPES["faster_rcnn_mobilenet_bccd"].build()
    load_half(net, tmp_path / "out" / "faster_rcnn_mobilenet_bccd-5.safetensors")
    assert len(load_bccd(cells, ["3"])) == 1


def test_the_command_line_explains_itself() -> None:
    done = subprocess.run([sys.executable, "-m", "visionkit.train", "-h"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "unet_mobilenet_person" in done.stdout
