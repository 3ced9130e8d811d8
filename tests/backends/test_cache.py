"""Networks are loaded once, shared, counted and closed."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit.backends import ModelCache, Settings
from visionkit.backends import cache as cache_module
from visionkit.errors import WeightsError
from visionkit.weights import Catalogue, Store


class Network:
    def __init__(self, entry: Any, settings: Settings) -> None:
        self.entry, self.settings, self.closed = entry, settings, 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Network]:
    """What was loaded, in order; loading takes a while."""
    made: list[Network] = []

    def load_model(entry: Any, _: Any, settings: Settings) -> Network:
        time.sleep(0.05)
        made.append(Network(entry, settings))
        return made[-1]

    monkeypatch.setattr(cache_module, "load_model", load_model)
    monkeypatch.setattr(Store, "pull", lambda self, entry, progress: ())
    return made


def fresh(tmp_path: Path, keep: int = 4) -> ModelCache:
    return ModelCache(Catalogue.load(), Store(cache_dir=tmp_path), keep=keep)


def test_many_threads_share_one_loading(tmp_path, loads) -> None:
    cache = fresh(tmp_path)
    got: list[Any] = []
    threads = [threading.Thread(target=lambda: got.append(cache.model("yolo11n", "detect"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1
    assert all(model is loads[0] for model in got)


def test_downloads_are_told(tmp_path, monkeypatch) -> None:
    told: list[Any] = []
    monkeypatch.setattr(cache_module, "load_model", lambda entry, files, settings: Network(entry, settings))
    monkeypatch.setattr(Store, "path", lambda self, entry, file=None, progress=None: progress(file, 3, 3) or tmp_path)
    cache = ModelCache(Catalogue.load(), Store(cache_dir=tmp_path), progress=lambda *one: told.append(one))
    cache.model("mobilenet_v2", "classify")
    cache.file("mobilenet_v2")
    assert told == [("mobilenet_v2-b0353104.pth", 3, 3), (None, 3, 3)]


def test_settings_make_another_network(tmp_path, loads) -> None:
    cache = fresh(tmp_path)
    first = cache.model("yolo11n")
    assert cache.model("yolo11n", settings=Settings(precision="fp16")) is not first
    assert cache.model("yolo11n", settings=Settings()) is first
    assert len(loads) == 2


def test_unused_networks_stay_up_to_a_number(tmp_path, loads) -> None:
    cache = fresh(tmp_path, keep=1)
    yolo, ssd = cache.model("yolo11n"), cache.model("ssd_mobilenet_v2")
    again = cache.model("yolo11n")
    cache.release(yolo)
    cache.release(again)
    assert loads[0].closed == 0, "one unused network is kept"
    assert cache.model("yolo11n") is yolo, "and re-opened at once"
    cache.release(yolo)
    cache.release(ssd)
    assert [network.closed for network in loads] == [0, 1], "the one asked for longest ago goes"
    cache.close()
    assert [network.closed for network in loads] == [1, 1]


def test_a_failed_loading_is_tried_again(tmp_path, monkeypatch, loads) -> None:
    cache = fresh(tmp_path)
    working = cache_module.load_model

    def broken(*_: Any) -> Any:
        raise WeightsError("no")

    monkeypatch.setattr(cache_module, "load_model", broken)
    with pytest.raises(WeightsError, match="no"):
        cache.model("yolo11n")
    monkeypatch.setattr(cache_module, "load_model", working)
    assert cache.model("yolo11n") is loads[0]


def test_what_is_wrong_is_said(tmp_path, loads) -> None:
    cache = fresh(tmp_path)
    with pytest.raises(WeightsError, match="did you mean 'yolo11n'"):
        cache.model("yolo11m")
    with pytest.raises(WeightsError, match="is for classify, not for detect"):
        cache.model("mobilenet_v2", "detect")
    with pytest.raises(WeightsError, match="has no file 'x'"):
        cache.file("yolo11n", "x")
    assert not loads


def test_a_file_that_is_in_no_catalogue(tmp_path, root) -> None:
    cache = fresh(tmp_path)
    plain = root / "weights" / "classify" / "mobilenet_v2_onnx.onnx"
    with pytest.raises(WeightsError, match=r"weights import mobilenet_v2_onnx\.onnx --task detect"):
        cache.model(str(plain), "detect")
    try:
        known = Store().path(Catalogue.load().get("yolov8n_onnx"))
    except WeightsError:
        pytest.skip("the weights yolov8n_onnx are not on this machine and cannot be fetched")
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(known.read_bytes())
    network = cache.model(str(mine), "detect")
    assert network.entry.classes[0] == "person"
    assert network.entry.preprocessing.size == (640, 640)
    assert not network.entry.trusted
    assert network.infer(np.zeros((1, 640, 640, 3), np.uint8))[0].shape == (1, 84, 8400)
    cache.close()
