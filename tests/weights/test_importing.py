"""A user's own file as an entry of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.weights.conftest import Malice
from visionkit.app.weights_commands import weights
from visionkit.errors import UsageError, WeightsError
from visionkit.weights import Catalogue, Store, import_file, user_weights_dir
from visionkit.weights.importing import pairs


@pytest.fixture
def onnx(tmp_path: Path, root: Path) -> Path:
    """A graph that says nothing about itself."""
    path = tmp_path / "my net.onnx"
    path.write_bytes((root / "weights" / "restore" / "realesr_x4.onnx").read_bytes())
    return path


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "names.txt"
    path.write_text("Äpfel\nno\n12:30\n", "utf-8")
    return path


def test_an_import_is_an_entry_like_any_other(onnx: Path, names: Path, tmp_path: Path) -> None:
    made = import_file(onnx, "detect", "fruit", names, licence="MIT", preprocessing={"size": [64, 64]})
    content = onnx.read_bytes()
    onnx.unlink()
    entry = Catalogue.load().get("fruit")
    assert entry == made
    assert entry.classes == ("Äpfel", "no", "12:30")
    assert (entry.task, entry.loader, entry.licence, entry.trusted) == ("detect", "onnx", "MIT", False)
    path = Store(cache_dir=tmp_path / "cache", offline=True).path(entry)
    assert path == user_weights_dir() / "detect" / "fruit.onnx"
    assert path.read_bytes() == content


def test_like_takes_over_how_to_feed_and_load_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.pth"
    path.write_bytes(b"tensors")
    entry = import_file(path, task="classify", like="mobilenet_v2", classes=["a", "b"], preprocessing={"resize": 232})
    model = Catalogue.load().get("mobilenet_v2")
    assert entry.loader == "torchvision:mobilenet_v2"
    assert entry.classes == ("a", "b")
    assert entry.preprocessing == model.preprocessing.model_copy(update={"resize": 232})  # type: ignore[union-attr]
    assert import_file(path, task="classify", name="other", like="mobilenet_v2").class_list == "imagenet1k"


def test_the_command_has_what_an_entry_needs(onnx: Path, names: Path) -> None:
    words = f"import|{onnx}|--task|detect|--name|fruit|--classes|{names}|--licence|AGPL-3.0|--copyleft|--trust|"
    more = "--loader|onnx|--preprocess|size=[64, 96]|--preprocess|fit=letterbox|--setting|output=yolov5"
    done = CliRunner().invoke(weights, (words + more).split("|"))
    assert done.exit_code == 0, done.output
    assert "{weights: fruit}" in done.output
    entry = Catalogue.load().get("fruit")
    assert (entry.licence, entry.copyleft, entry.trusted) == ("AGPL-3.0", True, True)
    assert entry.settings == {"output": "yolov5"}
    assert entry.preprocessing is not None
    assert (entry.preprocessing.size, entry.preprocessing.fit) == ((64, 96), "letterbox")
    for text, message in [("size", "expected NAME=VALUE"), ("size=[", "cannot be read")]:
        with pytest.raises(UsageError, match=message):
            pairs([text], "--preprocess")


def test_what_cannot_be_imported_leaves_nothing_behind(onnx: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare.pth"
    bare.write_bytes(b"tensors")
    with pytest.raises(UsageError, match="cannot be a name"):
        import_file(onnx, task="detect")
    with pytest.raises(UsageError, match="already are weights called 'yolo11n'"):
        import_file(onnx, task="detect", name="yolo11n")
    with pytest.raises(UsageError, match="does not say which network") as caught:
        import_file(bare, task="detect")
    assert "--like" in caught.value.help
    with pytest.raises(UsageError, match="there is no file"):
        import_file(tmp_path / "absent.onnx", task="detect")
    with pytest.raises(UsageError, match="there is no file"):
        import_file(onnx, task="detect", name="a", classes=tmp_path / "absent.txt")
    with pytest.raises(WeightsError, match="no weights are called 'yolo11m'"):
        import_file(onnx, task="detect", name="a", like="yolo11m")
    with pytest.raises(WeightsError, match="not a valid entry"):
        import_file(onnx, task="detect", name="a", preprocessing={"fit": "squeeze"})
    (tmp_path / "broken.onnx").write_bytes(b"no graph")
    with pytest.raises(WeightsError, match="cannot be read as ONNX"):
        import_file(tmp_path / "broken.onnx", task="detect")
    assert not user_weights_dir().exists()


def test_a_checkpoint_of_ultralytics_says_its_classes_and_size(tmp_path: Path) -> None:
    yolo = pytest.importorskip("ultralytics").YOLO
    net = yolo("yolo11n.yaml", verbose=False)
    net.model.names = dict(enumerate(f"kind {index}" for index in range(80)))
    net.save(tmp_path / "mine.pt")
    entry = import_file(tmp_path / "mine.pt", task="detect")
    assert entry.loader == "ultralytics"
    assert entry.classes[:2] == ("kind 0", "kind 1")
    assert entry.preprocessing is not None
    assert (entry.preprocessing.fit, entry.preprocessing.stride) == ("letterbox", 32)
    with pytest.raises(UsageError, match="has 80 classes, and 3 names were given"):
        import_file(tmp_path / "mine.pt", task="detect", name="other", classes=["a", "b", "c"])


def test_a_hostile_checkpoint_is_refused_before_it_runs(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    torch = pytest.importorskip("torch")
    torch.save({"model": Malice(tmp_path / "code-was-run")}, tmp_path / "mine.pt")
    with pytest.raises(WeightsError, match="no checkpoint of Ultralytics"):
        import_file(tmp_path / "mine.pt", task="detect")
    assert not (tmp_path / "code-was-run").exists()
    assert not user_weights_dir().exists()
