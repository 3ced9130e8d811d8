"""``tune`` knows what a GPU adds; without one none of it is tried."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from visionkit.api import Pipeline
from visionkit.backends.choice import Choice, recall, remember
from visionkit.media.sources import SourceOptions
from visionkit.tune import Candidate, Tuner, networks
from visionkit.tune.candidates import GPU_BATCHES
from visionkit.weights import Catalogue, Store

DETECT = "version: 1\nstages:\n  - detect: {weights: yolo11n}\noutputs: [jsonl]\n"


def dimensions(device: str, videos: bool) -> dict[str, tuple]:
    tuner = Tuner(Pipeline.from_text(DETECT), [], SourceOptions(), 1.0, 4)
    known = SimpleNamespace(entries={"yolo11n": None}, device=device, measure=lambda: True)
    return dict(tuner._dimensions(known, videos))


def test_what_a_gpu_adds() -> None:
    found = dimensions("cuda", True)
    assert found["precision"] == ("fp32", "fp16", "bf16")
    assert found["batch"] == GPU_BATCHES
    assert found["decoder"] == ("cpu", "nvdec")
    assert not {"precision", "decoder"} & dimensions("cpu", True).keys()
    assert "decoder" not in dimensions("cuda", False)
    assert Candidate(decoder="nvdec").changes(Candidate()) == {"decoder": "nvdec"}


def test_every_backend_of_a_gpu_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The networks are made up, the way through is the real one: what refuses is left out, the fastest is kept."""
    import numpy as np

    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    asked: list[tuple[str, str]] = []
    milliseconds = {"own": 3e-3, "graphs": 1e-3}

    def load(*given):
        settings = given[2]
        asked.append((settings.backend, settings.precision))
        name = "torch" if settings.backend in ("own", "tensorrt") else settings.backend
        note = "TensorRT differs by 0.1" if settings.backend == "tensorrt" else ""
        return SimpleNamespace(
            backend=name, device="cpu", note=note, kind=settings.backend, streams=1, close=lambda: None
        )

    monkeypatch.setattr(networks, "load_model", load)
    monkeypatch.setattr(
        networks, "_called", lambda model, batch, pool: milliseconds[model.kind] + 0 * np.asarray(batch).size
    )
    monkeypatch.setattr(Store, "pull", lambda self, entry, *_: ())
    found = networks.Networks(Pipeline.from_text(DETECT).plan, Store(), "cuda", (640, 480), lambda text: None)
    assert found.measure()
    assert asked == [(name, precision) for precision in ("fp32", "fp16") for name in ("own", "graphs", "tensorrt")]
    assert found.reasons == ["TensorRT differs by 0.1"] * 2
    entry = Catalogue.load().get("yolo11n")
    for precision in ("fp32", "fp16"):
        choice = recall(entry, "cuda", precision)
        assert choice is not None
        assert choice.backend == "graphs"
        assert sorted(choice.ms) == ["graphs", "own"]
    assert recall(entry, "cpu") is None
    assert "in fp16" in found.chosen[1]


def test_a_choice_is_of_a_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    entry = Catalogue.load().get("yolo11n")
    remember(entry, "cuda", Choice({"graphs": 1.0}, (1, 1), "today"), "fp16")
    assert recall(entry, "cuda") is None
    assert recall(entry, "cuda", "fp16") is not None
