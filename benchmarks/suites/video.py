"""Detect, draw, encode: the whole way of a video, against the loops people write and against the slowest stage alone.

The serial loop uses the very engine that visionkit uses for these weights (OpenCV's, or ONNX Runtime), letterboxes or
stretches by hand, draws with cv2 and writes mp4v. Where Ultralytics is installed and can read the weights, its
`predict(save=True)` runs on them in a process of its own, loaded and warmed before the clock starts, which visionkit's
clock is not: it includes loading the network.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.child import run as child
from benchmarks.suites import Settings
from benchmarks.suites.filters import decode_only, efficiency, visionkit_job
from benchmarks.table import Table
from benchmarks.timing import Sample, figure, in_turn, ratio
from visionkit.errors import VisionkitError

WEIGHTS = ("ssd_mobilenet_v2", "yolov8n_onnx", "yolo11n")
PIPELINE = """
version: 1
stages:
  - detect: {weights: WEIGHTS, min_score: 0.4}
  - draw.boxes
outputs:
  - media: {path: "{source.stem}.mp4"}
"""
MIN_SCORE, IOU = 0.4, 0.5


def network(weights: str) -> Any:
    """The bare network of an entry, as visionkit loads it: the same engine for the loop."""
    from visionkit.backends import load_model
    from visionkit.backends.model import Settings as ModelSettings
    from visionkit.weights import Catalogue, Store

    entry = Catalogue.load().get(weights)
    return load_model(entry, Store().pull(entry), ModelSettings())


def prepared(frame: Any, spec: Any) -> tuple[Any, float, float, float, float]:
    """A frame (H, W, 3) as the network takes it, and scale x, y and offset x, y back."""
    import cv2

    high, wide = spec.size
    height, width = frame.shape[:2]
    if spec.fit == "stretch":
        return cv2.cvtColor(cv2.resize(frame, (wide, high)), cv2.COLOR_BGR2RGB), width / wide, height / high, 0, 0
    ratio_ = min(wide / width, high / height)
    w, h = round(width * ratio_), round(height * ratio_)
    x, y = (wide - w) // 2, (high - h) // 2
    small = cv2.copyMakeBorder(
        cv2.resize(frame, (w, h)), y, high - h - y, x, wide - w - x, cv2.BORDER_CONSTANT, value=(114, 114, 114)
    )
    return cv2.cvtColor(small, cv2.COLOR_BGR2RGB), 1 / ratio_, 1 / ratio_, x, y


def boxes_of(outputs: Any, wide: int, high: int) -> list[tuple[list[float], float, int]]:
    """Boxes xywh on the network's input, scores and classes of an SSD's or a YOLO's outputs, after NMS."""
    import cv2
    import numpy as np

    raw = outputs[0]
    if raw.shape[-1] == 7:
        rows = raw.reshape(-1, 7)
        rows = rows[rows[:, 2] >= MIN_SCORE]
        xywh = np.stack(
            [rows[:, 3] * wide, rows[:, 4] * high, (rows[:, 5] - rows[:, 3]) * wide, (rows[:, 6] - rows[:, 4]) * high],
            1,
        )
        scores, classes = rows[:, 2], rows[:, 1].astype(int)
    else:
        rows = raw[0].T
        scores, classes = rows[:, 4:].max(1), rows[:, 4:].argmax(1)
        kept = scores >= MIN_SCORE
        rows, scores, classes = rows[kept], scores[kept], classes[kept]
        xywh = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], 1)
    picked = (
        cv2.dnn.NMSBoxesBatched(xywh.tolist(), scores.tolist(), classes.tolist(), MIN_SCORE, IOU) if len(xywh) else []
    )
    return [(xywh[i].tolist(), float(scores[i]), int(classes[i])) for i in picked]


def serial(source: str, out: str, weights: str) -> Callable[[], Any]:
    """Read, detect, draw, write, one after the other."""
    import cv2

    def work() -> int:
        model = network(weights)
        wide, high = model.spec.size[::-1]
        reader = cv2.VideoCapture(source)
        size = (int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)), int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT)))
        writer, count = cv2.VideoWriter(out, cv2.VideoWriter.fourcc(*"mp4v"), 25, size), 0
        while True:
            ok, frame = reader.read()
            if not ok:
                break
            ready, sx, sy, ox, oy = prepared(frame, model.spec)
            for (x, y, w, h), score, class_id in boxes_of(model.infer(ready[None]), wide, high):
                corner = round((x - ox) * sx), round((y - oy) * sy)
                cv2.rectangle(frame, corner, (round((x + w - ox) * sx), round((y + h - oy) * sy)), (0, 255, 0), 2)
                label = f"{model.entry.classes[class_id]} {score:.2f}"
                cv2.putText(frame, label, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 255, 0), 2, cv2.LINE_AA)
            writer.write(frame)
            count += 1
        writer.release()
        return count

    return work


def network_alone(source: str, weights: str, frames: int) -> Callable[[], Any]:
    """One frame through the network again and again: the slowest stage, flat out."""
    import cv2

    model = network(weights)
    ready = prepared(cv2.VideoCapture(source).read()[1], model.spec)[0][None]
    model.infer(ready)

    def work() -> None:
        for _ in range(frames):
            model.infer(ready)

    return work


def ultralytics_predict(source: str, out: str, weights: str) -> Callable[[], Any]:
    """`yolo predict save=True` on the same file of weights, loaded and warmed."""
    import os

    os.environ |= {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "0", "YOLO_VERBOSE": "0", "YOLO_CONFIG_DIR": out}
    Path(out).mkdir(parents=True, exist_ok=True)
    import cv2

    from visionkit.lazy import load
    from visionkit.weights import Catalogue, Store

    entry = Catalogue.load().get(weights)
    model = load("ultralytics").YOLO(str(Store().pull(entry)[0]), task="detect")
    options: dict[str, Any] = {
        "conf": MIN_SCORE,
        "iou": IOU,
        "verbose": False,
        "project": out,
        "exist_ok": True,
        "device": "cpu",
    }
    model.predict(cv2.VideoCapture(source).read()[1], save=False, **options)
    return lambda: sum(1 for _ in model.predict(source, save=True, stream=True, **options))


def run(table: Table, settings: Settings) -> None:
    """Fill the table, for each of the weights; a table of chosen weights is named for them."""
    table.suite = "-".join([table.suite, *settings.weights])
    frames = settings.frames or 60
    if settings.data:
        source = inputs.videos_in(settings.data)[0]
    else:
        source = inputs.video(settings.work / f"{frames}.mp4", frames)
    for weights in settings.weights or WEIGHTS:
        try:
            _measure(table, settings, source, frames, weights)
        except (RuntimeError, VisionkitError) as error:
            table.notes.append(f"{weights}: not measured: {str(error).splitlines()[-1]}")


def _measure(table: Table, settings: Settings, source: Path, frames: int, weights: str) -> None:
    out = settings.work / "video" / weights
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    text = PIPELINE.replace("WEIGHTS", weights)
    both = {"source": str(source), "weights": weights}
    jobs: dict[str, Callable[[], Sample]] = {
        "ours": partial(child, visionkit_job, text=text, source=str(source), out=str(out / "ours")),
        "network": partial(child, network_alone, **both, frames=frames),
        "decode": partial(child, decode_only, source=str(source)),
    }
    if weights != "yolo11n":  # whose bare network is no function of arrays
        jobs["serial"] = partial(child, serial, **both, out=str(out / "serial.mp4"))
    if find_spec("ultralytics") and weights.startswith("yolo"):
        jobs["yolo"] = partial(child, ultralytics_predict, **both, out=str(out / "yolo"))
    if find_spec("openvino") and weights.endswith("onnx"):
        other = text + "run: {backend: openvino}\n"
        jobs["openvino"] = partial(child, visionkit_job, text=other, source=str(source), out=str(out / "openvino"))
    found = in_turn(jobs, settings.rounds)
    ours = found["ours"]
    if "serial" in found:
        table.add(
            f"{weights}: times as fast as a serial loop, same engine", ratio(found["serial"], ours), "×", least=1.2
        )
        table.add(
            f"{weights}: wall over the limit",
            efficiency(ours, found["serial"], [found["network"], found["decode"]]),
            "×",
            most=1.15,
            note="limit: the larger of network alone and the loop's processor time / cores",
        )
    if "yolo" in found:
        table.add(f"{weights}: times as fast as yolo predict save=True", ratio(found["yolo"], ours), "×", least=1.05)
    if "openvino" in found:
        table.add(f"{weights}: times as fast with OpenVINO as with ONNX Runtime", ratio(ours, found["openvino"]), "×")
        over = ratio(ours, found["openvino"], "cpu")
        table.add(f"{weights}: processor time with ONNX Runtime over that with OpenVINO", over, "×")
        if "yolo" in found:
            name = f"{weights}: with OpenVINO, times as fast as yolo predict save=True"
            table.add(name, ratio(found["yolo"], found["openvino"]), "×")
    table.add(
        f"{weights}: wall over the network alone",
        ratio(ours, found["network"]),
        "×",
        note="1 is all of the rest hidden behind it",
    )
    table.add(f"{weights}: network's share of the processor time", ratio(found["network"], ours, "cpu"), "×")
    table.add(f"{weights}: processor time a frame", figure(ours, "cpu", 1000 / frames), "ms")
