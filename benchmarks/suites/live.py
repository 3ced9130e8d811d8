"""Streams per machine: how many network cameras of 720p at 30 frames a second are kept up with.

MJPEG over HTTP from loopback, one stream more at a time until frames are lost. visionkit takes all of them in one run;
the peer is a thread for each with cv2.VideoCapture and the same calls, one after the other. A stream is kept up with
when 98 of 100 of its frames come out at the end. Latency is from a frame's arrival to its result, by visionkit's own
count. The cameras run on the same machine.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.cameras import cameras
from benchmarks.child import measure, processor_time
from benchmarks.suites import Settings
from benchmarks.suites.video import boxes_of, network, prepared
from benchmarks.table import Table
from benchmarks.timing import Figure

FPS, SECONDS, SETTLE, STARTED = 30, 6.0, 2.0, 60.0
KEPT = 0.98
MOST = 12
EVERY = 5
PIPELINES = {
    "filters": "version: 1\nstages:\n  - filter.blur: {size: 9}\n  - edges.canny: {low: 50, high: 150}\noutputs: []\n",
    "detector": "version: 1\nstages:\n  - detect: {weights: WEIGHTS, min_score: 0.4, when: index % EVERY == 0}\n"
    "outputs: []\nrun: {backend: openvino}\n",
}
LABELS = {
    "filters": "blur and Canny",
    "detector": f"a detector on every {EVERY}th frame",
}


def ours(url: str, streams: int, text: str, out: str) -> Callable[[], Any]:
    """One run over all streams: frames out, latency (median, 95 %), processor time, all while they are settled."""
    from visionkit.api import Job, Pipeline

    pipeline, count = Pipeline.from_text(text), [0]
    shutil.rmtree(out, ignore_errors=True)

    def note(_: Any) -> None:
        count[0] += 1

    def work() -> list[float]:
        job = Job(pipeline.plan, pipeline._run_settings(), note)
        summaries: list[Any] = []
        names = [f"camera{number}={url}{number}" for number in range(streams)]
        thread = threading.Thread(target=lambda: summaries.append(job.run(names, out=Path(out))))
        thread.start()
        found = settled(lambda: count[0])
        job.stop()
        thread.join()
        lanes = [lane for lane in summaries[0].sources if lane.latency_median is not None]
        return [*found, max(lane.latency_median for lane in lanes), max(lane.latency_p95 for lane in lanes)]

    return work


def by_hand(url: str, streams: int, kind: str, weights: str) -> Callable[[], Any]:
    """A thread for each stream, one call after the other: frames done and processor time."""
    import cv2

    model = network(weights, "openvino") if kind == "detector" else None
    lock, counts, stop = threading.Lock(), [0] * streams, threading.Event()

    def step(frame: Any, number: int) -> None:
        if model is None:
            cv2.Canny(cv2.cvtColor(cv2.GaussianBlur(frame, (9, 9), 0), cv2.COLOR_BGR2GRAY), 50, 150)
        elif number % EVERY == 0:
            ready = prepared(frame, model.spec)[0]
            with lock:
                outputs = model.infer(ready[None])
            boxes_of(outputs, *ready.shape[1::-1])

    def watch(stream: int) -> None:
        reader = cv2.VideoCapture(f"{url}{stream}")
        while not stop.is_set():
            ok, frame = reader.read()
            if not ok:
                return
            step(frame, counts[stream])
            counts[stream] += 1

    def work() -> list[float]:
        threads = [threading.Thread(target=watch, args=(stream,)) for stream in range(streams)]
        for thread in threads:
            thread.start()
        found = settled(lambda: sum(counts))
        stop.set()
        for thread in threads:
            thread.join()
        return found

    return work


def settled(count: Callable[[], int]) -> list[float]:
    """Frames a second and processor time a frame (ms), once all streams are up and a little time has gone by."""
    limit = time.monotonic() + STARTED
    while not count() and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(SETTLE)
    frames, cpu, began = count(), processor_time(), time.perf_counter()
    time.sleep(SECONDS)
    frames = count() - frames
    return [frames / (time.perf_counter() - began), (processor_time() - cpu) * 1000 / max(1, frames)]


def run(table: Table, settings: Settings) -> None:
    """Fill the table: one climb for each job."""
    table.rounds = 1
    table.notes.append(f"One climb for each line, {SECONDS:g} seconds a step: no intervals.")
    weights = (settings.weights or ("yolo11n",))[0]
    source = settings.work / "live.mp4"
    if settings.data:
        inputs.excerpt(inputs.videos_in(settings.data)[0], source, 60)
    else:
        inputs.video(source, 60)
    with cameras(source, FPS) as url:
        for kind, text in PIPELINES.items():
            full = text.replace("WEIGHTS", weights).replace("EVERY", str(EVERY))
            out = str(settings.work / "live")
            _climb(
                table,
                kind,
                "visionkit",
                lambda n, full=full, out=out: measure(ours, url=url, streams=n, text=full, out=out),
            )
            _climb(
                table,
                kind,
                "cv2 by hand",
                lambda n, kind=kind: measure(by_hand, url=url, streams=n, kind=kind, weights=weights),
            )


def _climb(table: Table, kind: str, who: str, job: Callable[[int], tuple[Any, list[float]]]) -> None:
    """One stream more at a time, until frames are lost; the rows are those of the last that went well."""
    kept: tuple[int, list[float]] = (0, [0.0, 0.0])
    for streams in range(1, MOST + 1):
        found = job(streams)[1]
        share = found[0] / (streams * FPS)
        print(f"{kind}, {who}: {streams} streams, {share:.3f} of the frames, {found}", flush=True)
        if share < KEPT:
            _row(table, f"{LABELS[kind]}, {who}: with {streams} streams, frames that come out", 100 * share, "%")
            break
        kept = streams, found
    streams, found = kept
    _row(table, f"{LABELS[kind]}, {who}: streams kept up with", streams, "")
    if streams:
        _row(table, f"{LABELS[kind]}, {who}: processor time a frame", found[1], "ms", "reading and decoding included")
    for label, value in zip(("median", "95 of 100 below"), found[2:], strict=False):
        _row(table, f"{LABELS[kind]}, {who}: latency, {label}", value * 1000, "ms")


def _row(table: Table, name: str, value: float, unit: str, note: str = "") -> None:
    table.add(name, Figure(value, value, value), unit, note=note)
