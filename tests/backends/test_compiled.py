"""``torch.compile``: what it gives is the eager network's, and it is asked only for shapes that keep coming."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from visionkit.backends import Settings, compiled, load_model
from visionkit.backends.compiled import MOST, CompiledModel
from visionkit.data import Image
from visionkit.weights import Catalogue, Entry, Preprocessing

torch = pytest.importorskip("torch")


def small() -> Iterator[Image]:
    for seed in range(2):
        yield Image(np.random.default_rng(seed).integers(0, 256, (32, 48, 3), dtype=np.uint8))


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A network of two layers in torch, as a loader would make it, and a cache of its own."""
    from visionkit.backends.torchnet import TorchModel

    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    monkeypatch.setattr(compiled, "_wide", small)
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.SiLU(), torch.nn.Conv2d(8, 4, 3))
    spec = Preprocessing(size=(32, 48), fit="stretch")
    known: Entry = Catalogue.load().get("unet_mobilenet_person")
    entry = known.model_copy(update={"name": "tiny", "preprocessing": spec})
    model = TorchModel(entry, net, Settings(threads=1))
    monkeypatch.setattr(compiled, "load_model", lambda *_: model)
    return model


def replaced(monkeypatch: pytest.MonkeyPatch, compile_: Any) -> None:
    """Instead of ``torch.compile``."""
    monkeypatch.setattr(compiled, "torch", SimpleNamespace(compile=compile_))


def fails(*_: Any) -> Any:
    raise RuntimeError("no such operation\nand advice")


def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shapes that were given to a compiled call, which is the eager one."""
    shapes: list[tuple[int, ...]] = []

    def compile_(call: Any, **_: Any) -> Any:
        return lambda net, pictures: shapes.append(tuple(pictures.shape)) or call(net, pictures)

    replaced(monkeypatch, compile_)
    return shapes


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="Inductor needs g++")
def test_it_agrees_and_the_verdict_is_kept(tiny, tmp_path) -> None:
    model = compiled.load(tiny.entry, (), Settings(backend="compile", threads=1))
    assert (model.backend, model.note) == ("compile", "")
    assert list(tmp_path.glob("inductor/**/*.so")), "C++ was compiled"
    (verdict,) = tmp_path.glob("compile/tiny-*.json")
    assert '"refused": ""' in verdict.read_text()
    batch = next(small()).bgr()[None].copy()
    for _ in range(12):
        np.testing.assert_allclose(model.infer(batch)[0], tiny.infer(batch)[0], atol=1e-4)


def test_only_shapes_that_keep_coming_are_compiled(tiny, monkeypatch) -> None:
    shapes = counted(monkeypatch)
    model = CompiledModel(tiny, patience=3)
    for side in (32, 48, 32, 48, 32, 48):
        model.infer(np.zeros((1, side, 32, 3), np.uint8))
    assert not shapes, "no shape came twice in a row"
    for side in (32, 48, 64, 80):
        for _ in range(5):
            model.infer(np.zeros((1, side, 32, 3), np.uint8))
    assert sorted(set(shapes)) == [(1, 3, 32, 32), (1, 3, 48, 32)]
    assert len(set(shapes)) == MOST


def test_what_differs_is_refused(tiny, monkeypatch, caplog) -> None:
    replaced(monkeypatch, lambda call, **_: lambda net, x: tuple(out * 1.5 for out in call(net, x)))
    model = compiled.load(tiny.entry, (), Settings(backend="compile"))
    assert model is tiny
    assert model.note == "tiny: torch.compile differs by 0.5 of the largest output: torch runs it"
    assert "tiny: torch.compile takes a minute or two, the first time" in caplog.text


def test_without_a_compiler_torch_runs_it(tiny, monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("CXX", "nothing++")
    model = compiled.load(tiny.entry, (), Settings(backend="compile"))
    assert "needs a C++ compiler, and there is no nothing++" in model.note
    assert not (tmp_path / "compile").exists(), "it is tried again next time"


def test_a_shape_that_cannot_be_compiled_runs_eagerly(tiny, monkeypatch, caplog) -> None:
    replaced(monkeypatch, lambda *_, **__: fails)
    model, batch = CompiledModel(tiny, patience=1), np.zeros((1, 32, 32, 3), np.uint8)
    for _ in range(3):
        np.testing.assert_array_equal(model.infer(batch)[0], tiny.infer(batch)[0])
    assert caplog.text.count("no such operation") == 1


def test_what_cannot_be_compiled_is_refused(tiny, monkeypatch) -> None:
    """Eager calls in its place would agree with the eager network."""
    replaced(monkeypatch, lambda *_, **__: fails)
    model = compiled.load(tiny.entry, (), Settings(backend="compile"))
    assert model is tiny
    assert model.note == "tiny: torch.compile cannot run it (no such operation): torch runs it"


def test_it_is_for_networks_of_torch(root: Path) -> None:
    model = load_model(
        Catalogue.load().get("mobilenet_v2_onnx"),
        (root / "weights" / "classify" / "mobilenet_v2_onnx.onnx",),
        Settings(backend="compile"),
    )
    assert model.note == "mobilenet_v2_onnx: compile does not run it, onnxruntime does"
