"""ONNX Runtime runs networks of torch, OpenCV those of ONNX and torch: as their own backends do, or not at all."""

from __future__ import annotations

import hashlib
import logging
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from visionkit.backends import Settings, exported, load_model
from visionkit.data import Image
from visionkit.weights import Catalogue, Entry, FileSpec, Preprocessing, Source


def small() -> Iterator[Image]:
    """Pictures that take no time."""
    for seed in range(2):
        yield Image(np.random.default_rng(seed).integers(0, 256, (64, 96, 3), dtype=np.uint8))


def agrees(ours, theirs) -> None:
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3 * np.abs(other).max())


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("visionkit.backends.agreement.photos", small)
    return tmp_path / "cache" / "onnx"


@pytest.fixture
def unet(tmp_path: Path) -> tuple[Entry, tuple[Path, ...]]:
    """A network of torch with fresh weights that takes any size."""
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    from visionkit.nets import unet_mobilenet

    torch.manual_seed(3)
    path = tmp_path / "unet.safetensors"
    safetensors.save_file(unet_mobilenet(depth=4).state_dict(), str(path))
    file = FileSpec(
        name=path.name, size=path.stat().st_size, sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        sources=(Source(bundled=path.name),),
    )  # fmt: skip
    spec = Preprocessing(
        size=(64, 96), fit="letterbox", stride=32, mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3)
    )  # a letterbox with a stride is for pictures of any shape
    return Entry(
        name="mine", task="segment", architecture="a test", licence="none", loader="nets:unet.unet_mobilenet",
        files=(file,), preprocessing=spec, classes=("a",), settings={"build": {"depth": 4}}, folder=tmp_path,
    ), (path,)  # fmt: skip


@pytest.fixture
def bundled(root: Path) -> tuple[Entry, tuple[Path, ...]]:
    """A bundled ONNX network."""
    name = "mobilenet_v2_onnx"
    return Catalogue.load().get(name), (root / "weights" / "classify" / f"{name}.onnx",)


@pytest.mark.parametrize("backend", ["onnxruntime", "cv2"])
def test_a_network_of_torch_is_exported_once_for_all_sizes(unet, cache, tmp_path, backend) -> None:
    pytest.importorskip("onnx", reason="torch exports with the package onnx, which is not installed")
    settings = Settings(backend=backend, threads=1)
    model, own = load_model(*unet, settings), load_model(*unet, Settings(backend="own", threads=1))
    assert model.backend.partition(".")[0] == backend
    assert model.note == ""
    rng = np.random.default_rng(0)
    for shape in [(1, 64, 96, 3), (3, 64, 96, 3), (1, 96, 64, 3), (2, 32, 160, 3)]:
        batch = rng.integers(0, 256, shape, dtype=np.uint8)
        agrees(model.infer(batch), own.infer(batch))
    (graph,) = cache.glob("*.onnx")
    made = graph.stat().st_mtime_ns
    code = (
        "import sys; from pathlib import Path; import pickle\n"
        "from visionkit.backends import load_model\n"
        "entry, files, settings = pickle.loads(Path(sys.argv[1]).read_bytes())\n"
        "assert load_model(entry, files, settings).note == ''\n"
        "assert 'torch' not in sys.modules\n"
    )
    (tmp_path / "entry").write_bytes(pickle.dumps((*unet, settings)))
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "entry")], check=True, timeout=120)
    assert graph.stat().st_mtime_ns == made


def test_opencv_runs_onnx_files(bundled) -> None:
    model = load_model(*bundled, Settings(backend="cv2", streams=2))
    assert (model.backend, model.streams, model.note) == ("cv2.dnn", 2, "")
    own = load_model(*bundled, Settings())
    batch = np.random.default_rng(0).integers(0, 256, (3, *model.spec.size, 3), dtype=np.uint8)
    agrees(model.infer(batch), own.infer(batch))


def test_one_that_disagrees_is_refused_and_that_is_kept(bundled, monkeypatch, caplog) -> None:
    text = "mobilenet_v2_onnx: cv2.dnn differs by 0.25 of the largest output: onnxruntime runs it"
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr("visionkit.backends.agreement.difference", lambda *_: 0.25)
        model = load_model(*bundled, Settings(backend="cv2"))
    assert (model.backend, model.note) == ("onnxruntime", text)
    assert text in caplog.text
    assert load_model(*bundled, Settings(backend="cv2")).note == text


def test_what_is_no_number_does_not_agree(bundled, monkeypatch) -> None:
    from visionkit.backends.cv2dnn import Cv2Model

    infer = Cv2Model.infer
    monkeypatch.setattr(Cv2Model, "infer", lambda self, batch: tuple(out * np.nan for out in infer(self, batch)))
    assert "differs by inf" in load_model(*bundled, Settings(backend="cv2")).note


def test_without_the_package_onnx_torch_runs_it_and_says_so(unet, cache, monkeypatch) -> None:
    monkeypatch.setattr(exported, "find_spec", lambda name: None)
    model = load_model(*unet, Settings(backend="onnxruntime", threads=1))
    assert model.backend == "torch"
    assert model.note == "mine: ONNX Runtime needs an export: pip install 'visionkit[onnx]': torch runs it"
    assert not cache.exists(), "it is tried again next time"


def test_a_graph_that_the_engine_cannot_run_is_refused(bundled, monkeypatch) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("no such layer")

    monkeypatch.setattr(exported, "read_onnx", broken)
    model = load_model(*bundled, Settings(backend="cv2"))
    assert (model.backend, model.note.partition(": ")[2]) == (
        "onnxruntime",
        "cv2.dnn cannot run it (no such layer): onnxruntime runs it",
    )
