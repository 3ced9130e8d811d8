"""CUDA graphs, ONNX Runtime on tensors, TensorRT: what can be shown of them on a CPU is the same code."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import numpy as np
import pytest

from visionkit.backends import Settings, cuda_fit, graphs, load_model, tensorrt
from visionkit.backends.graphs import GraphedModel
from visionkit.backends.onnx import OnnxModel, open_session
from visionkit.backends.preprocess import normalised
from visionkit.weights import Entry, FileSpec, Preprocessing, Source

torch = pytest.importorskip("torch")
SPEC = Preprocessing(size=(32, 64), fit="stretch", mean=(0.4, 0.5, 0.6), std=(0.2, 0.25, 0.3))


@pytest.fixture
def unet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, tuple[Path, ...]]:
    """A small network of torch with fresh weights, and a cache of its own."""
    safetensors = pytest.importorskip("safetensors.torch")
    from visionkit.nets import unet_mobilenet

    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(3)
    path = tmp_path / "unet.safetensors"
    safetensors.save_file(unet_mobilenet(depth=4).state_dict(), str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    file = FileSpec(name=path.name, size=path.stat().st_size, sha256=digest, sources=(Source(bundled=path.name),))
    return Entry(
        name="mine", task="segment", architecture="a test", licence="none", loader="nets:unet.unet_mobilenet",
        files=(file,), preprocessing=SPEC, classes=("a",), settings={"build": {"depth": 4}}, folder=tmp_path,
    ), (path,)  # fmt: skip


def pictures(count: int, height: int = 32, width: int = 64) -> np.ndarray:
    return np.random.default_rng(count).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def test_normalised_is_the_hosts(device) -> None:
    batch = pictures(2)
    planes = torch.from_numpy(batch).to(device).permute(0, 3, 1, 2)
    for layout in ("nchw", "nhwc"):
        spec = SPEC.model_copy(update={"layout": layout})
        found = cuda_fit.normalised(planes, spec, torch.float32)
        assert found.is_contiguous()
        np.testing.assert_allclose(found.cpu().numpy(), normalised(batch, spec), atol=1e-5)


def test_a_network_takes_tensors(unet, device) -> None:
    model = load_model(*unet, Settings(device, backend="own"))
    batch = pictures(3)
    (wanted,) = model.infer(batch)
    (found,) = model.forward(torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).contiguous())
    assert (found.device.type, found.dtype) == (device, torch.float32)
    np.testing.assert_allclose(found.cpu().numpy(), wanted, atol=1e-4 * np.abs(wanted).max())


def test_replayed_calls_are_the_eager_ones(unet, device) -> None:
    own = load_model(*unet, Settings(device, backend="own"))
    model = GraphedModel(own)
    kept = []
    for count in (3, 1, 4, 2, 3):
        batch = pictures(count)
        (found,), (wanted,) = model.forward(batch), own.infer(batch)
        kept.append((found, wanted))
    kept.append((model.forward(pictures(2, 64, 32))[0], own.infer(pictures(2, 64, 32))[0]))
    assert sorted(model._calls) == [(1, 3, 32, 64), (2, 3, 32, 64), (2, 3, 64, 32), (4, 3, 32, 64)]
    for found, wanted in kept:  # what was given away is not overwritten by what comes later
        np.testing.assert_allclose(found.cpu().numpy(), wanted, atol=1e-5 * np.abs(wanted).max())


def test_a_graph_that_differs_is_not_used(unet, device, monkeypatch, caplog) -> None:
    own = load_model(*unet, Settings(device, backend="own"))
    wrong = graphs.Recorded.replay
    monkeypatch.setattr(graphs.Recorded, "replay", lambda self: (wrong(self), self.outputs[0].mul_(1.01)))
    model = GraphedModel(own)
    with caplog.at_level(logging.WARNING):
        (found,) = model.infer(pictures(2))
    assert "differs by 0.01" in caplog.text
    np.testing.assert_array_equal(found, own.infer(pictures(2))[0])


def test_one_that_cannot_be_recorded_runs_eagerly(unet, device, monkeypatch, caplog) -> None:
    own = load_model(*unet, Settings(device, backend="own"))

    def fail(*_: object) -> None:
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(graphs, "Recorded", fail)
    with caplog.at_level(logging.WARNING):
        (found,) = GraphedModel(own).infer(pictures(2))
    assert "cannot be recorded (operation not permitted" in caplog.text
    np.testing.assert_array_equal(found, own.infer(pictures(2))[0])


@pytest.mark.parametrize(("backend", "says"), [("graphs", "CUDA graphs need"), ("tensorrt", "TensorRT needs")])
def test_without_a_gpu_its_own_backend_runs_it(unet, backend, says) -> None:
    model = load_model(*unet, Settings("cpu", backend=backend))
    assert model.backend == "torch"
    assert says in model.note


@pytest.fixture
def exported(unet, tmp_path) -> tuple[Path, object]:
    pytest.importorskip("onnx", reason="torch exports with the package onnx, which is not installed")
    model = load_model(*unet, Settings(backend="own"))
    path = tmp_path / "net.onnx"
    tensorrt.export(model, 32, 64, path)
    return path, model


def test_an_export_is_the_network_for_any_batch(exported, unet, device) -> None:
    path, own = exported
    assert tensorrt.shapes(path, 32, 64) == "pictures:{batch}x3x32x64"
    session = OnnxModel(unet[0], open_session(path, Settings(device)), device)
    for count in (1, 3):
        batch = pictures(count)
        (wanted,) = own.infer(batch)
        (found,) = session.forward(torch.from_numpy(batch).to(device).permute(0, 3, 1, 2))
        assert found.device.type == device
        np.testing.assert_allclose(found.cpu().numpy(), wanted, atol=1e-4 * np.abs(wanted).max())
        np.testing.assert_allclose(session.infer(batch)[0], wanted, atol=1e-4 * np.abs(wanted).max())


def test_what_the_provider_is_told(tmp_path) -> None:
    told = tensorrt.options(Settings("cuda:1", "fp16"), tmp_path, "pictures:{batch}x3x64x96")
    assert told["device_id"] == "1"
    assert told["trt_fp16_enable"] == "True"
    assert [told[f"trt_profile_{name}_shapes"] for name in ("min", "opt", "max")] == [
        f"pictures:{batch}x3x64x96" for batch in tensorrt.BATCHES
    ]
    assert not any("profile" in name for name in tensorrt.options(Settings("cuda"), tmp_path, ""))


def test_a_detector_that_takes_lists_is_neither_recorded_nor_exported(unet, tmp_path) -> None:
    from visionkit.backends.torchnet import TorchModel, call_detector
    from visionkit.errors import WeightsError

    model = TorchModel(unet[0], torch.nn.Identity(), Settings(), call_detector)
    with pytest.raises(WeightsError, match="as one tensor"):
        tensorrt.export(model, 64, 96, tmp_path / "x.onnx")
    assert "objects it finds" in graphs._objection(model, Settings("cuda"))


@pytest.mark.gpu
@pytest.mark.parametrize("backend", ["graphs", "tensorrt"])
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_on_a_gpu_it_agrees_or_says_why_not(unet, gpu, backend, precision) -> None:
    own = load_model(*unet, Settings(gpu, precision, "own"))
    model = load_model(*unet, Settings(gpu, precision, backend))
    if model.backend != backend:
        assert model.note
        pytest.skip(model.note)
    for count in (1, 5, 16):
        (found,), (wanted,) = model.infer(pictures(count)), own.infer(pictures(count))
        np.testing.assert_allclose(found, wanted, atol=(1e-3 if precision == "fp32" else 1e-2) * np.abs(wanted).max())


def test_a_yolo_turns_its_outputs_into_boxes_in_float() -> None:
    from types import SimpleNamespace

    from visionkit.backends.yolo import _decode_in_float

    seen: list[dict] = []
    head = SimpleNamespace(dfl=torch.nn.Linear(2, 2).bfloat16(), _inference=seen.append)
    _decode_in_float(head)
    half = torch.ones(2, dtype=torch.bfloat16)
    head._inference({"boxes": half, "feats": [half, half], "angle": None})
    (given,) = seen
    assert given["angle"] is None
    assert {one.dtype for one in (given["boxes"], *given["feats"], head.dfl.weight)} == {torch.float32}
