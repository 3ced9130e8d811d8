"""On an NVIDIA GPU: the whole pipeline against the bare network, against `yolo predict half=True`, streams per GPU.

The bare network has its batch on the GPU and leaves its outputs there; of its batch sizes the fastest counts. The
pipeline fed from memory uploads, prepares, detects and hands out results. The video is read from its file by both, and
nothing is drawn or written but a table of ours. All networks are loaded and warmed before the clocks start.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import inputs, peers
from benchmarks.child import Worker, measure, worker
from benchmarks.suites import NotHere, Settings
from benchmarks.suites.video import IOU, MIN_SCORE, file_of
from benchmarks.table import Table
from benchmarks.timing import Figure, Sample, figure, in_turn, ratio

WEIGHTS = ("yolo11n",)
BATCHES = (16, 32, 64, 128)
STREAMS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)
SECONDS = 8.0
LOST = 0.01
"""The share of frames that may be dropped for streams to count as real-time."""
PIPELINE = """
version: 1
stages:
  - detect: {weights: WEIGHTS, min_score: 0.4, iou: 0.5}
outputs:
  - jsonl: {path: results.jsonl}
run: {device: cuda, precision: fp16, backend: BACKEND, batch: BATCH, decoder: DECODER}
"""


def loaded(weights: str, backend: str) -> Any:
    """The network in fp16 on the GPU, as visionkit loads it.

    Raises:
        RuntimeError: this backend does not run it.
    """
    from visionkit.backends import load_model
    from visionkit.backends.model import Settings as ModelSettings
    from visionkit.weights import Catalogue, Store

    entry = Catalogue.load().get(weights)
    model = load_model(entry, Store().pull(entry), ModelSettings("cuda", "fp16", backend))
    if backend not in ("own", model.backend):
        raise RuntimeError(model.note)
    return model


def pipeline_of(weights: str, backend: str, batch: int, decoder: str = "cpu") -> Any:
    """The pipeline of this suite."""
    from visionkit.api import Pipeline

    words = {"WEIGHTS": weights, "BACKEND": backend, "BATCH": str(batch), "DECODER": decoder}
    text = PIPELINE
    for word, value in words.items():
        text = text.replace(word, value)
    return Pipeline.from_text(text)


def pictures(source: str, count: int) -> list[Any]:
    """``count`` pictures, of which at most 64 differ, as the decoder gives them."""
    from visionkit.media.sources import SourceOptions, open_sources

    (lane,) = open_sources([source], SourceOptions(limit=64))
    some = [frame.load() for frame in lane.frames()]  # type: ignore[union-attr]
    return [some[i % len(some)] for i in range(count)]


def bare(source: str, weights: str, backend: str, batch: int, frames: int) -> Callable[[], Sample]:
    """The network alone, on a batch that lies on the GPU: what ``frames`` frames take."""
    from visionkit.backends import fit_batch
    from visionkit.data.device import finish

    model = loaded(weights, backend)
    ((_, _, ready),) = fit_batch(pictures(source, batch), model.spec, device="cuda")
    for _ in range(3):
        model.forward(ready)

    def work() -> Sample:
        from time import perf_counter

        calls = -(-frames // batch)
        finish("cuda")
        begun = perf_counter()
        for _ in range(calls):
            model.forward(ready)
        finish("cuda")
        return Sample((perf_counter() - begun) * frames / (calls * batch), 0.0)

    return work


def from_memory(source: str, weights: str, backend: str, batch: int, frames: int) -> Callable[[], Sample]:
    """The pipeline on pictures that lie in memory, without outputs."""
    from visionkit.api import Job

    pipeline, some = pipeline_of(weights, backend, batch), pictures(source, frames)

    def work() -> Sample:
        job = Job(pipeline.plan, pipeline._run_settings(), trust=True)
        summary = job.run(some, outputs=False)
        if summary.out != frames:
            raise RuntimeError(f"{summary.out} of {frames} frames came out: {summary.notes}")
        return Sample(summary.seconds, 0.0)

    return work


def idle(source: str, weights: str, backend: str, batch: int, frames: int) -> Callable[[], float | None]:
    """The share of the time in which nothing ran on the GPU, while the pipeline is fed from memory.

    None where the driver cannot be asked.
    """
    from visionkit.profile.gpu import Gpu

    run = from_memory(source, weights, backend, batch, frames)

    def work() -> float | None:
        gpu, done = Gpu(), threading.Event()

        def watch() -> None:
            while not done.wait(0.1):
                gpu.look()

        thread = threading.Thread(target=watch)
        thread.start()
        run()
        done.set()
        thread.join()
        busy = [load for load in gpu.loads if load]  # what came before the first frame and after the last is not its
        first, last = (gpu.loads.index(busy[0]), len(gpu.loads) - gpu.loads[::-1].index(busy[-1])) if busy else (0, 0)
        within = gpu.loads[first:last]
        gpu.close()
        if not gpu.loads:
            return None
        return 1 - sum(within) / len(within) / 100 if within else 1.0

    return work


def video(source: str, out: str, weights: str, backend: str, batch: int, decoder: str) -> Callable[[], Sample]:
    """The pipeline on a video, with a table as its output."""
    from visionkit.api import Job
    from visionkit.runtime.batch import BatchOptions

    pipeline = pipeline_of(weights, backend, batch, decoder)

    def work() -> Sample:
        job = Job(pipeline.plan, pipeline._run_settings(), trust=True)
        summary = job.run([source], out=Path(out), overwrite=True, batch=BatchOptions(keep=False))
        if decoder == "nvdec" and any("NVDEC" in note for note in summary.notes):
            raise RuntimeError(f"NVDEC: {summary.notes}")
        return Sample(summary.seconds, 0.0)

    return work


def streams(source: str, weights: str, backend: str, batch: int, decoder: str) -> Callable[[], int]:
    """How many videos, played at their own rate, one GPU follows."""
    from visionkit.api import Job
    from visionkit.media.sources import SourceOptions

    pipeline = pipeline_of(weights, backend, batch, decoder)

    def work() -> int:
        most = 0
        for count in STREAMS:
            job = Job(pipeline.plan, pipeline._run_settings(), trust=True)
            summary = job.run([source] * count, outputs=False, options=SourceOptions(replay=True, to=SECONDS))
            if summary.dropped > LOST * summary.received:
                break
            most = count
        return most

    return work


def run(table: Table, settings: Settings) -> None:
    """Fill the table.

    Raises:
        NotHere: there is no GPU.
    """
    if find_spec("torch") is None:
        raise NotHere("torch is not installed, so no GPU can be used")
    import torch

    if not torch.cuda.is_available():
        raise NotHere("torch finds no NVIDIA GPU on this machine: nothing was measured")
    table.machine["gpu"] = torch.cuda.get_device_name()
    frames = settings.frames or 2048
    source = inputs.video(settings.work / "gpu-720p.mp4", min(frames, 600))
    if settings.data:
        source = inputs.excerpt(inputs.videos_in(settings.data)[0], settings.work / "gpu-real-720p.mp4", 600)
    large = inputs.video(settings.work / "gpu-1080p.mp4", 300, 1920, 1080)
    table.notes.append(f"fp16; {frames} pictures of 1280 × 720 from memory, videos of 1280 × 720 and 1920 × 1080.")
    for weights in settings.weights or WEIGHTS:
        for backend in ("own", "graphs", "tensorrt"):
            try:
                _measure(table, settings, weights, backend, source, large, frames)
            except RuntimeError as error:
                table.notes.append(f"{weights}, {backend}: not measured: {str(error).splitlines()[-1][:300]}")


def _measure(
    table: Table, settings: Settings, weights: str, backend: str, source: Path, large: Path, frames: int
) -> None:
    name, both = f"{weights}, {backend}", {"source": str(source), "weights": weights, "backend": backend}
    alone = {batch: measure(bare, **both, batch=batch, frames=frames)[0].wall for batch in BATCHES}
    batch = min(alone, key=lambda size: alone[size])
    table.notes.append(f"{name}: the bare network is fastest with batches of {batch}.")
    given = {**both, "batch": batch}
    out = settings.work / "gpu"
    jobs = {
        "bare": worker(bare, **given, frames=frames),
        "memory": worker(from_memory, **given, frames=frames),
        "video": worker(video, **given, out=str(out / backend), decoder="cpu"),
    }
    try:
        measure(video, **given, out=str(out / "try"), decoder="nvdec")
        jobs["nvdec"] = worker(video, **given, out=str(out / f"{backend}-nvdec"), decoder="nvdec")
    except RuntimeError as error:
        table.notes.append(f"{name}: {str(error).splitlines()[-1][:300]}")
    if (peer := _peer(table, settings, weights, source)) is not None:
        jobs["yolo"] = peer
    with ExitStack() as stack:
        for job in jobs.values():
            stack.callback(job.close)
        found = in_turn(jobs, settings.rounds)
    _rows(table, name, found, frames)
    share = measure(idle, **given, frames=4 * frames)[1]
    if share is None:
        table.notes.append(f"{name}: how long the GPU is idle is not known: pynvml is not installed or finds no driver")
    else:
        table.add(f"{name}: share of the time the GPU is idle, fed from memory", _one(100 * share), "%", most=10)
    for decoder in [decoder for decoder, job in (("cpu", "video"), ("nvdec", "nvdec")) if job in found]:
        count = measure(streams, **{**given, "source": str(large)}, decoder=decoder)[1]
        table.add(f"{name}: 1080p streams in real time, decoded by {decoder}", _one(count), "")


def _rows(table: Table, name: str, found: dict[str, list[Sample]], frames: int) -> None:
    for job, text in (("bare", "the bare network"), ("memory", "the pipeline, fed from memory")):
        rates = [replace(sample, wall=frames / sample.wall) for sample in found[job]]
        table.add(f"{name}: pictures a second, {text}", figure(rates), "")
    share = ratio(found["bare"], found["memory"])
    table.add(f"{name}: the pipeline's share of the bare network's rate", share, "×", least=0.9)
    for job in ("video", "nvdec"):
        if job in found and "yolo" in found:
            text = f"{name}: times as fast as yolo predict half=True, {'NVDEC' if job == 'nvdec' else 'CPU'} decode"
            table.add(text, ratio(found["yolo"], found[job]), "×", least=5.0)
    if "nvdec" in found:
        table.add(f"{name}: NVDEC, times as fast as decoding on the CPU", ratio(found["video"], found["nvdec"]), "×")


def _one(value: float) -> Figure:
    return Figure(value, value, value)


def _peer(table: Table, settings: Settings, weights: str, source: Path) -> Worker | None:
    """Ultralytics' own way on the same video, in its environment or, where none can be made, in ours."""
    if not weights.startswith("yolo") or find_spec("ultralytics") is None:
        table.notes.append(f"{weights}: Ultralytics is not here to compare with")
        return None
    options = {"conf": MIN_SCORE, "iou": IOU, "device": "cuda:0", "half": True, "save": False}
    out = str(settings.work / "gpu" / "yolo")
    arguments = {"source": str(source), "weights": file_of(weights), "out": out, **options}
    try:
        return peers.worker(settings.work, "ultralytics", "ultralytics_predict.py", **arguments)
    except RuntimeError:
        table.notes.append("Ultralytics runs in visionkit's own environment: none could be made for it")
        return peers.started(sys.executable, "ultralytics_predict.py", **arguments)
