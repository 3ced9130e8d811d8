"""Streams per machine: how many network cameras of 720p at 30 frames a second are kept up with.

MJPEG over HTTP from loopback. visionkit takes all streams in one run; the peer is a thread for each with
cv2.VideoCapture and the same calls, one after the other, each call on one core. First, once, one stream more at a time
until frames are lost: a stream is kept up with when 98 of 100 of its frames come out at the end. Then, in turn, two
streams more than either keeps up with, so that all cores are full: frames a second that come out, and processor time a
frame; and one stream alone for the latency from a frame's arrival to its result, by visionkit's own count. The cameras
run on the same machine; the cores that they take are measured and are not counted into the limit.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks import inputs
from benchmarks.cameras import cameras
from benchmarks.child import measure, processor_time
from benchmarks.suites import Settings
from benchmarks.suites.video import boxes_of, network, prepared
from benchmarks.table import Table
from benchmarks.timing import CORES, Figure, Sample, figure, in_turn, ratio

FPS, SECONDS, SETTLE, STARTED = 30, 6.0, 2.0, 60.0
KEPT = 0.98
MOST = 12
OVER = 2
"""Streams more than either keeps up with that fill the cores."""
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


@dataclass(frozen=True)
class Flow(Sample):
    """What came out while streams were settled; ``wall`` and ``cpu`` are those of a frame.

    Attributes:
        cameras: cores that the cameras took.
        latency: seconds from a frame's arrival to its result: the median of the worst stream, 0 if not counted.
        late: 95 of 100 of its frames took less.
    """

    cameras: float = 0.0
    latency: float = 0.0
    late: float = 0.0


def ours(url: str, streams: int, text: str, out: str) -> Callable[[], Any]:
    """One run over all streams."""
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
        found = settled(url, lambda: count[0])
        job.stop()
        thread.join()
        lanes = [lane for lane in summaries[0].sources if lane.latency_median is not None]
        return [*found, max(lane.latency_median for lane in lanes), max(lane.latency_p95 for lane in lanes)]

    return work


def by_hand(url: str, streams: int, kind: str, weights: str) -> Callable[[], Any]:
    """A thread for each stream, one call after the other."""
    import cv2

    cv2.setNumThreads(1)
    model = network(weights, "openvino", streams=CORES) if kind == "detector" else None
    counts, stop = [0] * streams, threading.Event()

    def step(frame: Any, number: int) -> None:
        if model is None:
            cv2.Canny(cv2.cvtColor(cv2.GaussianBlur(frame, (9, 9), 0), cv2.COLOR_BGR2GRAY), 50, 150)
        elif number % EVERY == 0:
            ready = prepared(frame, model.spec)[0]
            boxes_of(model.infer(ready[None]), *ready.shape[1::-1])

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
        found = settled(url, lambda: sum(counts))
        stop.set()
        for thread in threads:
            thread.join()
        return found

    return work


def settled(url: str, count: Callable[[], int]) -> list[float]:
    """Seconds and processor time a frame, and the cores that the cameras took, once all streams are up for a while."""
    limit = time.monotonic() + STARTED
    while not count() and time.monotonic() < limit:
        time.sleep(0.05)
    time.sleep(SETTLE)
    before, began = (count(), processor_time(), camera_time(url)), time.perf_counter()
    time.sleep(SECONDS)
    after, seconds = (count(), processor_time(), camera_time(url)), time.perf_counter() - began
    frames, cpu, cameras_ = (late - early for late, early in zip(after, before, strict=True))
    return [seconds / max(1, frames), cpu / max(1, frames), cameras_ / seconds]


def camera_time(url: str) -> float:
    """Seconds of processor time that the cameras took so far."""
    with urlopen(f"{url}time", timeout=10) as answer:
        return float(answer.read())


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    weights = (settings.weights or ("yolo11n",))[0]
    source = settings.work / "live.mp4"
    if settings.data:
        inputs.excerpt(inputs.videos_in(settings.data)[0], source, 60)
    else:
        inputs.video(source, 60)
    table.notes.append(f"{SECONDS:g} seconds a step and a run; streams that are kept up with: one climb, no interval.")
    with cameras(source, FPS) as url:
        for kind, text in PIPELINES.items():
            full = text.replace("WEIGHTS", weights).replace("EVERY", str(EVERY))
            mine = partial(_flow, ours, url=url, text=full, out=str(settings.work / "live"))
            theirs = partial(_flow, by_hand, url=url, kind=kind, weights=weights)
            kept = [_climb(table, kind, who, job) for who, job in (("visionkit", mine), ("cv2 by hand", theirs))]
            many = max(kept) + OVER
            jobs: dict[str, Callable[[], Sample]] = {
                "ours": partial(mine, streams=many),
                "loop": partial(theirs, streams=many),
                "one": partial(mine, streams=1),
            }
            found = in_turn(jobs, settings.rounds, warm_up=0)
            table.rounds = settings.rounds
            _rows(table, f"{LABELS[kind]}, {many} streams", found)
            _latency(table, f"{LABELS[kind]}, one stream", found["one"])


def _flow(job: Callable[..., Any], streams: int, **arguments: Any) -> Flow:
    wall, cpu, cameras_, *latency = measure(job, streams=streams, **arguments)[1]
    return Flow(wall, cpu, 0.0, cameras_, *latency)


def _climb(table: Table, kind: str, who: str, job: Callable[..., Flow]) -> int:
    """One stream more at a time, until frames are lost; how many went well."""
    kept = 0
    for streams in range(1, MOST + 1):
        flow = job(streams=streams)
        share = 1 / (flow.wall * streams * FPS)
        print(f"{kind}, {who}: {streams} streams, {share:.3f} of the frames, {flow}", flush=True)
        if share < KEPT:
            break
        kept = streams
    table.add(f"{LABELS[kind]}, {who}: streams kept up with", Figure(kept, kept, kept), "")
    return kept


def _rows(table: Table, name: str, found: dict[str, list[Any]]) -> None:
    mine, loop = found["ours"], found["loop"]
    table.add(f"{name}: frames out, times those of cv2 by hand", ratio(loop, mine), "×")
    table.add(f"{name}: processor time a frame over that by hand", ratio(mine, loop, "cpu"), "×")
    limits = [hand.cpu / (CORES - flow.cameras) for hand, flow in zip(loop, mine, strict=True)]
    over = Figure.of([flow.wall / limit for flow, limit in zip(mine, limits, strict=True)])
    note = "limit: processor time by hand / cores that the cameras leave"
    table.add(f"{name}: wall over the limit", over, "×", most=1.15, note=note)
    for label, flows in (("visionkit", mine), ("cv2 by hand", loop)):
        rate = Figure.of([1 / flow.wall for flow in flows])
        table.add(f"{name}, {label}: frames a second", rate, "")
        table.add(
            f"{name}, {label}: processor time a frame", figure(flows, "cpu", 1000), "ms", note="reading, decoding"
        )
    table.add(f"{name}: cores that the cameras take", figure(mine, "cameras"), "")
    _latency(table, name, mine)


def _latency(table: Table, name: str, flows: list[Any]) -> None:
    table.add(f"{name}: latency, median", figure(flows, "latency", 1000), "ms")
    table.add(f"{name}: latency, 95 of 100 below", figure(flows, "late", 1000), "ms")
