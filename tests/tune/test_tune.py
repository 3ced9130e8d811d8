"""``visionkit tune``: what is fastest is known by construction; int8 is refused where it loses too much."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.app.test_run import video, visionkit
from visionkit.backends import Settings
from visionkit.data import Detections
from visionkit.errors import UsageError
from visionkit.pipeline.compile import compile_file
from visionkit.runtime.context import RunSettings
from visionkit.tune import quality
from visionkit.tune.quality import labelled, mean_precision
from visionkit.tune.tuner import Tuner

SLEEPY = "import time\n\ndef sleepy(image):\n    time.sleep(0.05)\n    return image\n"
PIPELINE = """# rests a lot
stages:
  - python: {file: own.py, function: sleepy}   # 50 ms, in parallel
outputs: [jsonl]
run: {workers: 1}
"""


@pytest.mark.slow
def test_more_workers_are_found_and_written(tmp_path: Path) -> None:
    """Threads that sleep do not disturb one another, so two workers take half the time, however busy the machine."""
    (tmp_path / "own.py").write_text(SLEEPY)
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    clip = video(tmp_path / "clip.mp4", 60)
    done = visionkit("tune", path, clip, "--budget", "3", "--allow-code", "--write", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["run"]["workers"] >= 2
    assert found["times_as_fast"] > 1.4
    assert path.read_text().startswith(PIPELINE.partition("run:")[0])
    assert compile_file(path, _code()).run["workers"] == found["run"]["workers"]
    best = [row for row in found["rows"] if row["best"]]
    assert best
    assert all(row["fps"] > 0 and row["cpu_ms"] > 0 for row in found["rows"])


def test_ctrl_c_is_answered(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(SLEEPY)
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    command = [sys.executable, "-m", "visionkit", "tune", path, video(tmp_path / "clip.mp4", 60), "--budget", "60"]
    log = tmp_path / "log.txt"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with log.open("w") as file:
        process = subprocess.Popen([*command, "--allow-code", "--write"], stdout=file, stderr=file, env=environment)
    try:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("visionkit-*/results.jsonl.part")):  # a trial is under way
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    assert log.read_text().split("\n")[-2:] == ["interrupted: nothing was written", ""]
    assert path.read_text() == PIPELINE
    assert not list(tmp_path.glob("visionkit-*"))


def _code() -> object:
    from visionkit.pipeline.options import CompileOptions

    return CompileOptions(allow_code=True)


def test_what_cannot_be_tuned(tmp_path: Path) -> None:
    done = visionkit("tune", "edges", tmp_path, "--write")
    assert (done.returncode, "bundled" in done.stderr) == (2, True)
    assert visionkit("tune", "edges").returncode == 2


def test_a_live_source_is_refused() -> None:
    from visionkit.api import Pipeline
    from visionkit.media.sources import SourceOptions

    pipeline = Pipeline.from_text("stages: [filter.blur]\noutputs: [jsonl]\n")
    with pytest.raises(UsageError, match="its own rate"):
        Tuner(pipeline, ["rtsp://127.0.0.1:1/x"], SourceOptions(), 1.0, 2).run()


@pytest.mark.slow
def test_what_was_measured_is_shown_even_if_the_file_cannot_take_it(tmp_path: Path) -> None:
    """In braces there is no section to write into."""
    (tmp_path / "own.py").write_text(SLEEPY)
    path = tmp_path / "p.yaml"
    path.write_text("{stages: [python: {file: own.py, function: sleepy}], outputs: [jsonl], run: {workers: 1}}")
    done = visionkit("tune", path, video(tmp_path / "clip.mp4", 30), "--budget", "1", "--allow-code", "--write")
    assert done.returncode == 2
    assert "in braces" in done.stderr
    assert "times as fast: run: {workers: " in done.stdout
    assert "--write puts it into the file" in done.stdout


def tuner(text: str, *inputs: Path, calibrate: Path | None = None) -> Tuner:
    from visionkit.api import Pipeline
    from visionkit.media.sources import SourceOptions

    return Tuner(Pipeline.from_text(text), inputs, SourceOptions(), 1.0, 2, calibrate=calibrate)


def test_a_few_pictures_measure_nothing(pictures: Path) -> None:
    """Seven are fewer than a trial wants; the gap between two of them is no rate."""
    (pictures / "7.png").unlink()
    with pytest.raises(UsageError, match="cannot be run") as error:
        tuner("stages: [filter.blur]\noutputs: [jsonl]\n", pictures).run()
    assert "too few frames" in (error.value.help or "")


def test_the_decoder_threads_of_the_file_are_where_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried is what the candidate says, the file's own number of threads or none."""
    import visionkit.api
    from visionkit.tune.trial import tried

    one = tuner("stages: [filter.blur]\noutputs: [jsonl]\nrun: {decoder_threads: 2}\n", tmp_path)
    start = one._start("cpu")
    assert start.decoder_threads == 2
    asked: list[int] = []

    def job(_: object, settings: RunSettings, *__: object) -> object:
        asked.append(settings.decoder_threads)
        raise UsageError("enough")

    monkeypatch.setattr(visionkit.api, "Job", job)
    for candidate in (start, replace(start, decoder_threads=0)):
        with pytest.raises(UsageError, match="enough"):
            tried(one.pipeline, candidate, one.inputs, one.options, 1.0)
    assert asked == [2, 0]


def test_a_folder_without_labels_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    clip = video(tmp_path / "clip.mp4", 10)
    said: list[str] = []
    one = tuner("stages: [filter.blur]\noutputs: [jsonl]\n", clip, calibrate=tmp_path / "nowhere")
    one.say = said.append
    with pytest.raises(UsageError, match="no pictures"):
        one.run()
    assert not said


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Eight grey pictures, a white square in each, and YOLO's label of it."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    for i in range(8):
        pixels = np.full((80, 100, 3), 90, np.uint8)
        pixels[20:40, 10 + i : 40 + i] = 255
        cv2.imwrite(str(tmp_path / "images" / f"{i}.png"), pixels)
        (tmp_path / "labels" / f"{i}.txt").write_text(f"1 {(25 + i) / 100} {30 / 80} 0.3 0.25\n")
    return tmp_path / "images"


def test_precision_of_what_is_known(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Boxes that are right, moved by a third, of another class, and found in half the pictures."""
    truth = labelled(pictures, 100)
    assert len(truth) == 8

    def scored(move: float = 0, class_id: int = 1, every: int = 1) -> float:
        def detected(_, chosen):
            for number, one in enumerate(chosen):
                image = one.image()
                x = 10 + number + move
                boxes = np.array([[x, 20, x + 30, 40]] if number % every == 0 else [], np.float32).reshape(-1, 4)
                n = len(boxes)
                yield one, Detections(image.canvas, boxes, np.full(n, 0.9), np.full(n, class_id), ("a", "b")), (100, 80)

        monkeypatch.setattr(quality, "_detected", detected)
        model = type("M", (), {"entry": type("E", (), {"classes": ("a", "b")})})
        return mean_precision(model, truth)

    assert scored() == pytest.approx(1.0)
    assert scored(class_id=0) == pytest.approx(0.0, abs=1e-6)
    assert scored(every=2) == pytest.approx(0.5, abs=0.02)
    assert scored(move=6) == pytest.approx(0.4, abs=0.05), "an IoU of 24 / 36 passes 4 of 10 thresholds"


def test_pictures_without_labels(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures"):
        labelled(tmp_path, 10)
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(UsageError, match="no labels beside"):
        labelled(tmp_path, 10)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
def test_int8_of_a_real_detector(shared_data: Path, tmp_path: Path) -> None:
    """YOLO11n on COCO128: half calibrate, half check; at most one point of mAP is lost."""
    for package in ("nncf", "openvino", "ultralytics"):
        pytest.importorskip(package)
    from visionkit.backends import load_model
    from visionkit.tune.networks import Networks
    from visionkit.weights import Catalogue, Store

    (tmp_path / "p.yaml").write_text("stages:\n  - detect: {weights: yolo11n}\noutputs: [jsonl]\n")
    networks = Networks(compile_file(tmp_path / "p.yaml"), Store(), "cpu", (640, 480), lambda text: None)
    assert networks.calibrate(shared_data / "coco128" / "images"), networks.reasons
    entry = Catalogue.load().get("yolo11n")
    model = load_model(entry, Store().pull(entry), Settings(precision="int8"))
    assert model.note.startswith("yolo11n: int8, mAP ")


def test_every_backend_of_a_cpu_is_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real network, bundled, in every backend that runs ONNX files."""
    pytest.importorskip("openvino")
    from visionkit import Pipeline
    from visionkit.backends.choice import recall
    from visionkit.tune import networks
    from visionkit.weights import Catalogue, Store

    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    monkeypatch.setattr(networks, "CALLS", 1)
    monkeypatch.setattr(networks, "TURNS", 1)
    plan = Pipeline.from_text("stages:\n  - classify: {weights: mobilenet_v2_onnx}\n").plan
    entry = Catalogue.load().get("mobilenet_v2_onnx")
    hasty = networks.Networks(plan, Store(offline=True), "cpu", (64, 48), lambda text: None, budget=-1)
    assert not hasty.measure()
    assert [reason.partition(" was not compared")[0] for reason in hasty.reasons] == [
        "mobilenet_v2_onnx: openvino",
        "mobilenet_v2_onnx: cv2",
    ]
    found = networks.Networks(plan, Store(offline=True), "cpu", (64, 48), lambda text: None)
    assert found.measure(), found.reasons
    assert not found.reasons
    choice = recall(entry, "cpu")
    assert choice is not None
    assert sorted(choice.ms) == ["cv2", "openvino", "own"]


class Rested:
    """A network that takes its time: on all cores one call after the other, or each call on its own core."""

    output = note = ""
    device = "cpu"

    def __init__(self, backend: str, seconds: float, settings: Settings) -> None:
        self.backend, self.streams, self._seconds = backend, settings.streams, seconds

    def infer(self, _: object) -> None:
        time.sleep(self._seconds)

    def close(self) -> None:
        pass


def test_a_backend_is_judged_by_calls_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a run makes them: the one that is faster alone, on all cores, is the slower one there."""
    from visionkit import Pipeline
    from visionkit.backends.choice import recall
    from visionkit.tune import networks
    from visionkit.weights import Catalogue, Store

    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path))
    loads: set[tuple[int, int]] = set()

    def loaded(_: object, __: object, settings: Settings) -> Rested:
        loads.add((settings.streams, settings.threads))
        seconds = {"own": (0.02, 0.06), "openvino": (0.03, 0.03), "cv2": (0.05, 0.05)}[settings.backend]
        return Rested(settings.backend, seconds[settings.threads == 1], settings)

    monkeypatch.setattr(networks, "load_model", loaded)
    plan = Pipeline.from_text("stages:\n  - classify: {weights: mobilenet_v2_onnx}\n").plan
    for cores, fastest in ((1, "own"), (3, "openvino")):
        networks.Networks(plan, Store(offline=True), "cpu", (64, 48), lambda text: None, cores=cores).measure()
        choice = recall(Catalogue.load().get("mobilenet_v2_onnx"), "cpu")
        assert choice is not None
        assert choice.backend == fastest
    assert choice.ms["openvino"] < 25, "a picture takes a third of a call"
    assert loads == {(1, 0), (3, 1)}
