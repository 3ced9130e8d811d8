"""OpenVINO runs ONNX files: as ONNX Runtime does, or not at all."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from visionkit.backends import Settings, load_model
from visionkit.backends.openvino import difference, photos
from visionkit.data import Image
from visionkit.weights import Catalogue, Entry

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
    monkeypatch.setattr("visionkit.backends.openvino.photos", small)
    model = load_model(entry, files, OPENVINO)
    assert model.backend == "openvino"
    assert difference(model, load_model(entry, files, Settings()), small()) < 1e-3
    (note,) = tmp_path.glob("openvino/agreement-*.json")
    assert 0 <= json.loads(note.read_text("utf-8"))["difference"] < 1e-3
    monkeypatch.setattr("visionkit.backends.openvino.difference", None)
    assert load_model(entry, files, OPENVINO).backend == "openvino", "the verdict is read, not measured again"


def test_one_that_disagrees_is_refused(bundled, monkeypatch, caplog) -> None:
    entry, files = bundled
    monkeypatch.setattr("visionkit.backends.openvino.difference", lambda *_: 0.25)
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
