"""``backend: auto`` is what was measured on this machine; int8 is used only where it was found good enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import cv2
import numpy as np
import pytest

from visionkit.backends import Settings, choice, load_model
from visionkit.backends.choice import Choice, recall, remember
from visionkit.backends.int8 import Verdict, graph_of, settle, verdict_of
from visionkit.data import Image
from visionkit.weights import Catalogue, Entry

pytest.importorskip("openvino")


def small() -> Iterator[Image]:
    """Pictures that take no time."""
    rng = np.random.default_rng(0)
    for _ in range(4):
        yield Image(cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (64, 48)))


@pytest.fixture
def bundled(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Entry, tuple[Path, ...]]:
    """A bundled ONNX network, and a cache of its own."""
    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    monkeypatch.setattr("visionkit.backends.agreement.photos", small)
    return Catalogue.load().get("realesr_x4"), (root / "weights" / "restore" / "realesr_x4.onnx",)


def test_auto_is_the_fastest_that_was_measured(bundled) -> None:
    entry, files = bundled
    auto = Settings(threads=1)
    assert load_model(entry, files, auto).backend == "onnxruntime"
    assert load_model(entry, files, auto).note == ""
    remember(entry, "cpu", Choice({"own": 20.0, "openvino": 11.0}, (640, 360), "2026-11-21"))
    model = load_model(entry, files, auto)
    assert model.backend == "openvino"
    assert model.note == (
        "realesr_x4 runs in openvino: measured here on 2026-11-21, ms a picture: openvino 11.0, own 20.0"
    )
    assert load_model(entry, files, Settings(backend="onnxruntime")).backend == "onnxruntime"
    remember(entry, "cpu", Choice({"own": 10.0, "openvino": 11.0}, (640, 360), "2026-11-21"))
    assert load_model(entry, files, auto).backend == "onnxruntime"


def test_another_version_or_device_knows_nothing(bundled, monkeypatch, tmp_path) -> None:
    entry, _ = bundled
    remember(entry, "cpu", Choice({"openvino": 11.0}, (640, 360), "2026-11-21"))
    assert recall(entry, "cpu") == Choice({"openvino": 11.0}, (640, 360), "2026-11-21")
    assert recall(entry, "cuda") is None
    with monkeypatch.context() as patch:
        patch.setattr(choice, "version_of", lambda package: "0.0")
        assert recall(entry, "cpu") is None
    (path,) = tmp_path.glob("choices/*.json")
    for text in ("", "{}", '{"ms": {}, "size": [1, 2], "measured": ""}', '{"ms": [], "size": 1}'):
        path.write_text(text)
        assert recall(entry, "cpu") is None


def test_what_was_measured_with_all_cores_for_a_call_is_not_known(bundled) -> None:
    """Its file had no word of how it was measured in its name."""
    entry, _ = bundled
    facts = [entry.digest, entry.loader, str(entry.settings), str(entry.preprocessing), "cpu", "fp32"]
    facts += [choice._machine(), *map(choice.version_of, choice._PACKAGES)]
    old = choice._folder() / f"{entry.name}-{sha256(json.dumps(facts).encode()).hexdigest()[:16]}.json"
    old.parent.mkdir(parents=True)
    old.write_text('{"ms": {"openvino": 1.0}, "size": [640, 360], "measured": "2026-11-20"}')
    assert recall(entry, "cpu") is None


def test_a_verdict_allows_one_point() -> None:
    assert Verdict(0.480, 0.471, 64).accepted
    assert Verdict(0.480, 0.500, 64).accepted
    assert not Verdict(0.480, 0.469, 64).accepted
    assert not Verdict().accepted
    assert Verdict(0.480, 0.440, 64).text == (
        "int8 refused, fp32 runs: mAP 44.0 against 48.0 on 64 pictures (-4.0), allowed is -1"
    )
    assert "--calibrate" in Verdict().text


def test_int8_runs_only_once_accepted(bundled) -> None:
    """A real network, quantised for real; the verdict on it is given by hand."""
    pytest.importorskip("nncf")
    from visionkit.backends.openvino import make_int8

    entry, files = bundled
    wish = Settings(precision="int8", threads=1)
    plain = load_model(entry, files, wish)
    assert "was not calibrated here" in plain.note
    made, note = make_int8(entry, files, small())
    batch = next(small()).bgr()[None]
    (eight,), (full,) = made.infer(batch), plain.infer(batch)
    assert eight.shape == full.shape
    assert 0 < np.abs(eight - full).mean() < 0.05, "other numbers, the same picture"
    settle(note, Verdict(0.5, 0.4, 10))
    refused = load_model(entry, files, wish)
    assert "int8 refused" in refused.note
    np.testing.assert_array_equal(refused.infer(batch)[0], full)
    settle(note, Verdict(0.5, 0.495, 10))
    accepted = load_model(entry, files, wish)
    assert accepted.note == "realesr_x4: int8, mAP 49.5 against 50.0 on 10 pictures (-0.5)"
    np.testing.assert_array_equal(accepted.infer(batch)[0], eight)
    assert load_model(entry, files, Settings(backend="openvino", threads=1)).note == ""
    graph_of(note).unlink()
    assert verdict_of(note) == Verdict()


def test_int8_where_openvino_does_not_run_it() -> None:
    from visionkit.weights import Store

    entry = Catalogue.load().get("ssd_mobilenet_v2")
    store = Store(offline=True)
    try:
        files = store.pull(entry)
    except Exception as error:
        pytest.skip(f"the weights are not here: {error}")
    model = load_model(entry, files, Settings(precision="int8"))
    assert model.backend == "cv2.dnn"
    assert model.note == "ssd_mobilenet_v2: openvino does not run it, cv2.dnn does"
