"""OpenVINO runs ONNX files and torch's networks: as their own backends do, or not at all."""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from visionkit.backends import Settings, load_model
from visionkit.backends.agreement import difference, photos
from visionkit.backends.model import preprocessing_of
from visionkit.backends.ovgraph import Compiled
from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.weights import Catalogue, Entry, FileSpec, Preprocessing, Source

pytest.importorskip("openvino")
OPENVINO = Settings(backend="openvino", threads=1)


@pytest.fixture
def bundled(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, tuple[Path, ...]]:
    """A bundled ONNX network, and a cache of its own."""
    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    return Catalogue.load().get("realesr_x4"), (root / "weights" / "restore" / "realesr_x4.onnx",)


def small() -> Iterator[Image]:
    """A picture that takes no time."""
    yield Image(np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8))


def test_agrees_with_onnx_runtime_and_remembers_it(bundled, tmp_path, monkeypatch) -> None:
    entry, files = bundled
    monkeypatch.setattr("visionkit.backends.agreement.photos", small)
    model = load_model(entry, files, OPENVINO)
    assert model.backend == "openvino"
    by_name = load_model(entry.model_copy(update={"loader": "openvino"}), files, Settings(threads=1))
    assert by_name.backend == "openvino"
    assert difference(model, load_model(entry, files, Settings()), small()) < 1e-3
    (note,) = tmp_path.glob("openvino/*.json")
    assert 0 <= json.loads(note.read_text("utf-8"))["difference"] < 1e-3
    monkeypatch.setattr("visionkit.backends.agreement.difference", None)
    assert load_model(entry, files, OPENVINO).backend == "openvino", "the verdict is read, not measured again"


def test_one_that_disagrees_is_refused(bundled, monkeypatch, caplog) -> None:
    entry, files = bundled
    monkeypatch.setattr("visionkit.backends.agreement.difference", lambda *_: 0.25)
    with caplog.at_level(logging.WARNING):
        assert load_model(entry, files, OPENVINO).backend == "onnxruntime"
    assert "differs by 0.25" in caplog.text


def test_a_difference_is_seen(bundled) -> None:
    entry, files = bundled
    model = load_model(entry, files, Settings())

    class Wrong:
        backend, spec = "wrong", model.spec
        entry = model.entry

        def infer(self, batch):
            return tuple(out * 1.01 for out in model.infer(batch))

    assert difference(Wrong(), model, small()) == pytest.approx(0.01, rel=0.01)


def test_photos_are_pictures() -> None:
    found = list(photos())
    assert len(found) == 2
    assert all(image.width > 32 for image in found)


def own(path: Path, loader: str, **settings: object) -> Entry:
    """An entry for a file of weights that is in no catalogue."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = FileSpec(name=path.name, size=path.stat().st_size, sha256=digest, sources=(Source(bundled=path.name),))
    spec = Preprocessing(size=(64, 96), fit="stretch", mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))
    return Entry(
        name="mine", task="segment", architecture="a test", licence="none", loader=loader, files=(file,),
        preprocessing=spec, classes=("a",), settings=settings, folder=path.parent,
    )  # fmt: skip


@pytest.fixture
def unet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, tuple[Path, ...]]:
    """A network of torch with fresh weights, and a cache of its own."""
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    from visionkit.nets import unet_mobilenet

    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(3)
    path = tmp_path / "unet.safetensors"
    safetensors.save_file(unet_mobilenet(depth=4).state_dict(), str(path))
    return own(path, "nets:unet.unet_mobilenet", build={"depth": 4}), (path,)


def test_a_network_of_torch_is_converted_once(unet, tmp_path) -> None:
    entry, files = unet
    model = load_model(entry, files, OPENVINO)
    assert model.backend == "openvino"
    reference = load_model(entry, files, Settings())
    rng = np.random.default_rng(0)
    for shape in [(1, 64, 96, 3), (3, 64, 96, 3), (1, 96, 64, 3), (1, 32, 32, 3), (2, 32, 64, 3), (1, 160, 128, 3)]:
        batch = rng.integers(0, 256, shape, dtype=np.uint8)
        (ours,), (theirs,) = model.infer(batch), reference.infer(batch)
        np.testing.assert_allclose(ours, theirs, atol=2e-3 * np.abs(theirs).max())
    code = (
        "import sys; from pathlib import Path; import pickle\n"
        "from visionkit.backends import Settings, load_model\n"
        "entry, files = pickle.loads(Path(sys.argv[1]).read_bytes())\n"
        "assert load_model(entry, files, Settings(backend='openvino', threads=1)).backend == 'openvino'\n"
        "assert 'torch' not in sys.modules\n"
    )
    (tmp_path / "entry").write_bytes(pickle.dumps((entry, files)))
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "entry")], check=True, timeout=120)


def test_half_a_conversion_is_made_again(unet, tmp_path) -> None:
    entry, files = unet
    load_model(entry, files, OPENVINO)
    (graph,) = tmp_path.glob("cache/openvino/*.xml")
    graph.unlink()
    assert load_model(entry, files, OPENVINO).backend == "openvino"
    assert graph.exists()


def test_what_cannot_be_converted_stays_with_torch(tmp_path, monkeypatch, caplog) -> None:
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path / "cache"))
    net = torchvision.models.get_model("ssdlite320_mobilenet_v3_large", weights=None, weights_backbone=None)
    path = tmp_path / "ssd.pth"
    torch.save(net.state_dict(), path)
    entry = own(path, "torchvision:ssdlite320_mobilenet_v3_large").model_copy(update={"classes": ("x",) * 91})
    with caplog.at_level(logging.WARNING):
        assert load_model(entry, (path,), OPENVINO).backend == "torch"
    assert "OpenVINO cannot run it" in caplog.text
    caplog.clear()
    assert load_model(entry, (path,), OPENVINO).backend == "torch", "the verdict is kept"


def test_a_damaged_graph_is_an_error_of_the_weights(bundled, tmp_path) -> None:
    entry, _ = bundled
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no graph at all")
    with pytest.raises(WeightsError):
        load_model(entry, (path,), OPENVINO)


def test_a_first_call_is_made_while_no_other_first_call_is(bundled, tmp_path, monkeypatch) -> None:
    """Two of them can wait for each other for ever: in OpenVINO's binding, one for the GIL, one for a table."""
    import openvino

    entry, files = bundled
    loaded = [Compiled(files[0], preprocessing_of(entry), Settings(threads=1, streams=2), tmp_path) for _ in range(2)]
    calls: list[tuple[float, float]] = []
    infer = openvino.InferRequest.infer

    def watched(self, *given):
        began = time.perf_counter()
        time.sleep(0.2)
        found = infer(self, *given)
        calls.append((began, time.perf_counter()))
        return found

    monkeypatch.setattr(openvino.InferRequest, "infer", watched)
    batch = np.zeros((1, 16, 16, 3), np.uint8)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda compiled: compiled.run(batch), [*loaded, *loaded]))
    first, second = sorted(calls)[:2]
    assert first[1] <= second[0]
