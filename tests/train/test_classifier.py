"""A network learns classes of the user's own, and what it learned runs as a stage."""

from __future__ import annotations

import csv
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

torch = pytest.importorskip("torch")

from visionkit import Pipeline  # noqa: E402
from visionkit.backends import Settings  # noqa: E402
from visionkit.backends.torchnet import TorchModel  # noqa: E402
from visionkit.errors import DataError, UsageError  # noqa: E402
from visionkit.train.classifier import read_album, teach  # noqa: E402
from visionkit.train.loop import Schedule  # noqa: E402
from visionkit.train.own import Wish, train_classifier  # noqa: E402
from visionkit.weights import Catalogue  # noqa: E402

CLASSES = ("frog", "ship", "truck")


@pytest.fixture
def stripes(tmp_path: Path) -> Path:
    """Lying and standing stripes, twenty 32×32 pictures each, and a file that is no picture."""
    noise = np.random.default_rng(0)
    for name in ("lying", "standing"):
        (tmp_path / "album" / name).mkdir(parents=True)
        for i in range(20):
            wave = 120 + 100 * np.sin(np.arange(32) * 0.8 + noise.uniform(0, 6))
            pixels = np.tile(wave, (32, 1)) + noise.normal(0, 15, (32, 32))
            pixels = pixels.T if name == "lying" else pixels
            Picture.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert("RGB").save(
                tmp_path / "album" / name / f"{i}.png"
            )
    (tmp_path / "album" / "lying" / "broken.png").write_bytes(b"no picture")
    return tmp_path / "album"


def fresh() -> TorchModel:
    """A network of two convolutions, from nothing, that takes 32×32 pictures."""
    torch.manual_seed(1)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 5, 2), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3, 2), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(288, 1000),
    )  # fmt: skip
    entry = Catalogue.load().get("resnet18")
    entry = entry.model_copy(
        update={"preprocessing": entry.preprocessing.model_copy(update={"size": (32, 32), "resize": 32})}
    )
    return TorchModel(entry, net, Settings())


def test_an_album_keeps_a_fifth_of_each_class_and_a_picture_stays_on_its_side(stripes: Path) -> None:
    album = read_album(stripes, ["png"])
    assert album.classes == ("lying", "standing")
    assert (len(album.train), len(album.held_out)) == (33, 8)
    held = {item.path for item in album.held_out}
    (stripes / "standing" / "19.png").unlink()
    kept = {item.path for item in read_album(stripes, ["png"]).held_out}
    assert len(held & kept) >= 7


@pytest.mark.parametrize("whole", [False, True])
def test_a_network_learns_stripes(stripes: Path, whole: bool) -> None:
    album = read_album(stripes, ["png"])
    learned = teach(fresh(), album, Schedule(80, 8, 3e-3), whole=whole, seed=0)
    assert learned.accuracy >= (1.0 if whole else 0.75)  # random features are worth less than learned ones
    assert learned.losses[-1] < learned.losses[0]
    assert [path.name for path in learned.unread] == ["broken.png"]
    again = teach(fresh(), album, Schedule(80, 8, 3e-3), whole=whole, seed=0)
    assert again.losses == learned.losses


def test_what_cannot_be_learned_from_says_so(stripes: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 class folders, at least two"):
        read_album(stripes.parent, ["png"])
    with pytest.raises(DataError, match=r"0 pictures, at least two"):
        read_album(stripes, ["jpg"])
    with pytest.raises(UsageError, match="no classifier that can learn"):
        train_classifier(stripes, Wish("mine", "ssd_mobilenet_v2"), tmp_path / "out")
    with pytest.raises(UsageError, match="has 'resnet18' already"):
        train_classifier(stripes, Wish("resnet18"), tmp_path / "out")


@pytest.mark.slow
def test_real_pictures_are_learned_and_sorted_by_a_pipeline(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Held-out pictures of CIFAR-10, small as they are, by MobileNetV2's features; then the same numbers by a run."""
    with tarfile.open(shared_data / "cifar10" / "cifar10-6000.tar") as archive:
        wanted = [
            m for m in archive.getmembers()
            if m.isfile() and m.name.split("/")[-2] in CLASSES and m.name.split("/")[-3] == "train"
            and int(Path(m.name).stem) < 20
        ]  # fmt: skip
        archive.extractall(tmp_path, wanted, filter="data")
    (folder,) = tmp_path.glob("*/train")
    monkeypatch.setenv("VISIONKIT_CONFIG", str(tmp_path / "config"))
    report = train_classifier(folder, Wish("three", steps=100), tmp_path / "out")
    assert report.accuracy >= 0.75
    held = tmp_path / "held"
    for item in read_album(folder, ["jpg", "png"]).held_out:
        target = held / item.path.parent.name / item.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(item.path.read_bytes())
    text = "stages:\n  - classify: {weights: three, top_k: 1}\noutputs: [confusion, confusion: {path: c.svg}]\n"
    Pipeline.from_text(text).write(str(held), out=tmp_path / "run")
    tables = (tmp_path / "run" / "confusion.csv", tmp_path / "out" / "three-confusion.csv")
    ours, theirs = (list(csv.reader(path.read_text().splitlines())) for path in tables)
    assert ours == theirs
    scores = json.loads((tmp_path / "out" / "three.json").read_text())
    assert float(ours[-1][-1]) == pytest.approx(scores["accuracy"], abs=1e-4)
    assert "accuracy" in (tmp_path / "run" / "c.svg").read_text()
