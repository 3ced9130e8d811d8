"""Detect, draw, encode: the whole way of a 720p video, against what people run otherwise, and the slowest stage alone.

Peers: `yolo predict save=True` of Ultralytics and supervision's `process_video` around Ultralytics' call, with the same
file of weights, in environments of their own; and a serial loop with cv2 that calls the very network visionkit calls,
at the same input size with all cores, draws with cv2 and writes mp4v, or the same H.264 as visionkit. Tables are left
out. All networks are loaded and warmed before the clocks start; they stop when the video is closed. Each job has a
process of its own, which stays for all its runs. What the limit counts is a loop of the same calls that write H.264,
each on one thread.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import inputs, peers
from benchmarks.child import processor_time, worker
from benchmarks.suites import Settings
from benchmarks.suites.filters import decode_only, opened, writer_of
from benchmarks.table import Table
from benchmarks.timing import CORES, Sample, efficiency, figure, ratio
from visionkit.errors import VisionkitError

WEIGHTS = ("yolo11n",)
PIPELINE = """
version: 1
stages:
  - detect: {weights: WEIGHTS, min_score: 0.4}
  - draw.boxes
outputs:
  - media: {path: "{source.stem}.mp4"}
run: {backend: BACKEND, precision: PRECISION}
"""
MIN_SCORE, IOU = 0.4, 0.5
LEAST = {"own": 1.05, "openvino": 1.6, "int8": 2.0}
"""Times as fast as ``yolo predict`` that is expected; what prototypes reached on an Intel machine with VNNI."""


def network(weights: str, backend: str, streams: int = 1) -> Any:
    """The bare network of an entry, as visionkit loads it: the same engine for the loop, with all cores for a call."""
    from visionkit.backends import load_model
    from visionkit.backends.model import Settings as ModelSettings
    from visionkit.weights import Catalogue, Store

    entry = Catalogue.load().get(weights)
    precision = "int8" if backend == "int8" else "fp32"
    settings = ModelSettings(backend="openvino" if backend == "int8" else backend, precision=precision)
    if streams > 1:
        settings = replace(settings, streams=streams, threads=max(1, CORES // streams))
    model = load_model(entry, Store().pull(entry), settings)
    if backend == "int8" and "int8, mAP" not in model.note:
        raise RuntimeError(model.note)
    return model


def prepared(frame: Any, spec: Any) -> tuple[Any, float, float, float, float]:
    """A frame (H, W, 3) as the network takes it, and scale x, y and offset x, y back."""
    import cv2

    high, wide = spec.size
    height, width = frame.shape[:2]
    if spec.fit == "stretch":
        return cv2.cvtColor(cv2.resize(frame, (wide, high)), cv2.COLOR_BGR2RGB), width / wide, height / high, 0, 0
    ratio_ = min(wide / width, high / height)
    w, h = round(width * ratio_), round(height * ratio_)
    wide, high = (-(-length // spec.stride) * spec.stride for length in (w, h))  # no larger than the picture needs
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


def found_in(frame: Any, model: Any) -> list[tuple[tuple[int, int], tuple[int, int], float, int]]:
    """Two corners, score and class of each thing in a frame (H, W, 3)."""
    ready, sx, sy, ox, oy = prepared(frame, model.spec)
    return [
        (
            (round((x - ox) * sx), round((y - oy) * sy)),
            (round((x + w - ox) * sx), round((y + h - oy) * sy)),
            score,
            class_id,
        )
        for (x, y, w, h), score, class_id in boxes_of(model.infer(ready[None]), *ready.shape[1::-1])
    ]


def serial(
    source: str, out: str, weights: str, backend: str, x264: str = "", single: bool = False
) -> Callable[[], Any]:
    """Read, detect, draw, write, one after the other; ``single``: each call on one thread."""
    import cv2

    if single:
        cv2.setNumThreads(1)
    model = network(weights, backend, streams=CORES if single else 1)
    model.infer(prepared(cv2.VideoCapture(source).read()[1], model.spec)[0][None])

    def work() -> int:
        reader = opened(source, single)
        writer, count = writer_of(reader, out, x264, single), 0
        while True:
            ok, frame = reader.read()
            if not ok:
                break
            for corner, far, score, class_id in found_in(frame, model):
                cv2.rectangle(frame, corner, far, (0, 255, 0), 2)
                label = f"{model.entry.classes[class_id]} {score:.2f}"
                cv2.putText(frame, label, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 255, 0), 2, cv2.LINE_AA)
            writer.write(frame)
            count += 1
        writer.release()
        return count

    return work


def flowing(text: str, source: str, out: str, weights: str) -> Callable[[], Sample]:
    """The pipeline, from the first frame asked for to the closed video."""
    import visionkit.job
    from visionkit.api import Job, Pipeline
    from visionkit.hub import ModelHub
    from visionkit.runtime.batch import BatchOptions

    shutil.rmtree(out, ignore_errors=True)
    pipeline = Pipeline.from_text(text)
    settings = pipeline._run_settings()
    hub = ModelHub(settings, streams=CORES)
    flat_out(hub.model(weights, "detect"), source, 2 * CORES)

    def work() -> Sample:
        visionkit.job.ModelHub = lambda *_: hub  # type: ignore[assignment, misc]  # whose network is warm
        cpu = processor_time()
        summary = Job(pipeline.plan, settings).run([source], out=Path(out), batch=BatchOptions(keep=False))
        return Sample(summary.seconds, processor_time() - cpu)

    return work


def flat_out(model: Any, source: str, calls: int) -> None:
    """The first frame through a network again and again, as many calls at a time as it is set up for."""
    import cv2

    ready = prepared(cv2.VideoCapture(source).read()[1], model.spec)[0][None]
    with ThreadPoolExecutor(model.streams) as pool:
        for _ in pool.map(model.infer, [ready] * calls):
            pass


def network_alone(source: str, weights: str, frames: int, backend: str) -> Callable[[], Any]:
    """The slowest stage, flat out, as the pipeline has it: a thread of its own for each core."""
    model = network(weights, backend, streams=CORES)
    flat_out(model, source, 2 * CORES)
    return partial(flat_out, model, source, frames)


def run(table: Table, settings: Settings) -> None:
    """Fill the table, for each of the weights; a table of chosen weights is named for them."""
    table.suite = "-".join([table.suite, *settings.weights])
    frames = settings.frames or 60
    if settings.data:
        source = inputs.excerpt(inputs.videos_in(settings.data)[0], settings.work / f"real-720p-{frames}.mp4", frames)
    else:
        source = inputs.video(settings.work / f"{frames}.mp4", frames)
    table.notes.append(f"{frames} frames, {'a real video scaled to' if settings.data else 'rendered,'} 1280 × 720.")
    for weights in settings.weights or WEIGHTS:
        try:
            _measure(table, settings, source, frames, weights)
        except (RuntimeError, VisionkitError) as error:
            table.notes.append(f"{weights}: not measured: {str(error).splitlines()[-1]}")


def _measure(table: Table, settings: Settings, source: Path, frames: int, weights: str) -> None:
    out = settings.work / "video" / weights
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    backends = ["own", *_others(weights, table)]
    both = {"source": str(source), "weights": weights}
    jobs = {"decode": worker(decode_only, source=str(source))}
    for backend in backends:
        text = _pipeline(weights, backend)
        jobs[backend] = worker(flowing, text=text, out=str(out / backend), **both)
        jobs[f"{backend} alone"] = worker(network_alone, **both, frames=frames, backend=backend)
        loop = str(out / f"{backend}.serial.mp4")
        jobs[f"{backend} serial"] = worker(serial, **both, out=loop, backend=backend)
        loop = str(out / f"{backend}.h264.mp4")
        jobs[f"{backend} h264"] = worker(serial, **both, out=loop, backend=backend, x264="default")
        loop = str(out / f"{backend}.calls.mp4")
        jobs[f"{backend} calls"] = worker(serial, **both, out=loop, backend=backend, x264="default", single=True)
    if weights.startswith("yolo") and not weights.endswith("onnx"):
        arguments = {"source": str(source), "weights": file_of(weights), "conf": MIN_SCORE, "iou": IOU}
        script = partial(peers.worker, settings.work, "ultralytics", "ultralytics_predict.py")
        jobs["yolo"] = script(out=str(out / "yolo"), **arguments)
        script = partial(peers.worker, settings.work, "supervision", "supervision_video.py")
        jobs["supervision"] = script(out=str(out / "supervision.mp4"), **arguments)
    with ExitStack() as stack:
        for job in jobs.values():
            stack.callback(job.close)
        found = settings.measured(f"video-{weights}", jobs, warm_up=0)
    table.rounds = len(found["decode"])
    for backend in backends:
        _rows(table, weights, backend, found, frames)
    if "yolo" in found:
        threads = f"{max(1, CORES - 1)} of the {CORES} cores for the network, as Ultralytics sets it, and writes"
        table.notes.append(f"`yolo predict` takes {threads} Motion JPEG: many times the room of H.264 for less work.")
        table.add(f"yolo predict, {weights}: frames a second", _rate(found["yolo"], frames), "")
        table.add(f"yolo predict, {weights}: processor time a frame", figure(found["yolo"], "cpu", 1000 / frames), "ms")


def _rows(table: Table, weights: str, backend: str, found: dict[str, list[Sample]], frames: int) -> None:
    ours, name = found[backend], f"{weights}, {'its own engine' if backend == 'own' else backend}"
    if "yolo" in found:
        over = ratio(found["yolo"], ours)
        table.add(f"{name}: times as fast as yolo predict save=True", over, "×", least=LEAST[backend])
        table.add(f"{name}: its processor time over ours", ratio(found["yolo"], ours, "cpu"), "×")
        over = ratio(found["supervision"], ours)
        table.add(f"{name}: times as fast as supervision's process_video", over, "×", note="around Ultralytics' call")
    loop, same, calls, alone = (found[f"{backend} {job}"] for job in ("serial", "h264", "calls", "alone"))
    note = "same engine, all cores; it writes {}"
    for other, what, writes in ((same, ", H.264 in both", "the same H.264"), (loop, " that writes mp4v", "mp4v")):
        over = ratio(other, ours)
        table.add(f"{name}: times as fast as a serial loop{what}", over, "×", least=1.2, note=note.format(writes))
    note = "limit: the larger of the slowest stage alone and the calls' processor time / cores"
    limit = efficiency(ours, calls, [alone, found["decode"]])
    table.add(f"{name}: wall over the limit", limit, "×", most=1.15, note=note)
    table.add(f"{name}: wall over the network alone", ratio(ours, alone), "×")
    table.add(f"{name}: frames a second", _rate(ours, frames), "")
    labels = ("", ", serial loop, mp4v", ", the calls on one thread", ", the network alone")
    for job, label in zip((ours, loop, calls, alone), labels, strict=True):
        table.add(f"{name}: processor time a frame{label}", figure(job, "cpu", 1000 / frames), "ms")


def _rate(samples: list[Sample], frames: int) -> Any:
    return figure([Sample(frames / sample.wall, 0.0) for sample in samples])


def _others(weights: str, table: Table) -> list[str]:
    """Backends besides the weights' own; int8 only where it was calibrated and accepted."""
    if find_spec("openvino") is None:
        return []
    found = []
    for backend in ("openvino", "int8"):
        try:
            model = network(weights, backend)
        except (RuntimeError, VisionkitError) as error:
            table.notes.append(str(error))
            continue
        table.notes += [model.note] if model.note else []
        found += [backend] if model.backend == "openvino" else []
        model.close()
    return found


def _pipeline(weights: str, backend: str) -> str:
    precision = "int8" if backend == "int8" else "fp32"
    engine = "openvino" if backend == "int8" else backend
    return PIPELINE.replace("WEIGHTS", weights).replace("BACKEND", engine).replace("PRECISION", precision)


def file_of(weights: str) -> str:
    """The local file of an entry."""
    from visionkit.weights import Catalogue, Store

    return str(Store().pull(Catalogue.load().get(weights))[0])
