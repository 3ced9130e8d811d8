"""Detect every fifth frame and track between, against detecting every frame: speed, and what it costs in HOTA.

YOLO11n finds people, ByteTrack carries them. Speed on a real video of people who walk by, where one is given (--data);
HOTA (Luiten et al., IJCV 2021), by the package trackers, on the bundled video of six people and a dog (226 frames at an
irregular rate), whose truth is known exactly. The serial loop reads with cv2, calls the very network visionkit calls
and the same package's ByteTrack, draws with cv2 and writes mp4v. What the limit counts is that loop with each call on
one thread and H.264.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import inputs
from benchmarks.child import ROOT, measure, worker
from benchmarks.suites import Settings
from benchmarks.suites.filters import opened, visionkit_job, writer_of
from benchmarks.suites.video import flowing, found_in, network, network_alone
from benchmarks.table import Table
from benchmarks.timing import CORES, Figure, Sample, efficiency, ratio

SOURCE = ROOT / "samples" / "walk.mp4"
TRUTH = ROOT / "samples" / "walk.mot.txt"
FRAMES = 226
EVERY = (1, 2, 5)
PIPELINE = """
version: 1
stages:
  - detect: {weights: WEIGHTS, classes: [person], min_score: 0.3, when: index % EVERY == 0}
  - track.bytetrack
  - draw.boxes: {label: "#{track_id}"}
outputs:
  - media: {path: "{source.stem}.mp4"}
  - mot: {path: "{source.stem}.txt"}
"""


def hota(out: str) -> Callable[[], Any]:
    """HOTA and MOTA of a written table, in per cent; the dog is no person and left out of the truth."""
    from trackers.eval import evaluate  # type: ignore[import-untyped]

    def work() -> list[float]:
        truth = Path(out) / "truth.txt"
        rows = [row for row in TRUTH.read_text("utf-8").splitlines() if row.split(",")[7] == "1"]
        truth.write_text("\n".join(rows) + "\n", "utf-8")
        found = evaluate.evaluate_mot_sequence(truth, next(Path(out).glob("walk*.txt")), ["HOTA", "CLEAR"])
        return [float(found.HOTA.HOTA) * 100, float(found.CLEAR.MOTA) * 100]

    return work


def serial(source: str, out: str, weights: str, every: int, x264: str = "", single: bool = False) -> Callable[[], Any]:
    """Read, detect or not, track, draw, write, one after the other; ``single``: each call on one thread."""
    import cv2
    import numpy as np
    from supervision import Detections
    from trackers import ByteTrackTracker

    if single:
        cv2.setNumThreads(1)
    model = network(weights, "own", streams=CORES if single else 1)
    person = model.entry.classes.index("person")
    found_in(cv2.VideoCapture(source).read()[1], model)

    def people(frame: Any) -> Detections:
        rows = [(*near, *far, score) for near, far, score, class_id in found_in(frame, model) if class_id == person]
        values = np.array(rows, np.float32).reshape(-1, 5)
        return Detections(values[:, :4], confidence=values[:, 4])

    def work() -> int:
        reader, tracker, count = opened(source, single), ByteTrackTracker(), 0
        writer = writer_of(reader, out, x264, single)
        while True:
            ok, frame = reader.read()
            if not ok:
                break
            found = tracker.update(people(frame) if count % every == 0 else Detections.empty())
            for (x1, y1, x2, y2), number in zip(found.xyxy.astype(int).tolist(), found.tracker_id, strict=True):
                cv2.rectangle(frame, (x1, y1), (x2, y2), (0, 255, 0), 2)
                cv2.putText(frame, f"#{number}", (x1, y1), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 255, 0), 2, cv2.LINE_AA)
            writer.write(frame)
            count += 1
        writer.release()
        return count

    return work


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    weights = (settings.weights or ("yolo11n",))[0]
    folder = settings.work / "track"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    texts = {every: PIPELINE.replace("WEIGHTS", weights).replace("EVERY", str(every)) for every in EVERY}
    _speed(table, settings, weights, texts)
    for every, text in texts.items():
        out = str(folder / f"walk{every}")
        measure(visionkit_job, text=text, source=str(SOURCE), out=out)
        for label, value in zip(("HOTA", "MOTA"), measure(hota, out=out)[1], strict=True):
            table.add(
                f"{label}, detecting every {_nth(every)}", Figure(value, value, value), "%", note="walk.mp4, whole"
            )


def _speed(table: Table, settings: Settings, weights: str, texts: dict[int, str]) -> None:
    frames = settings.frames or 50
    source, name = SOURCE, f"{SOURCE.name}"
    if settings.data:
        real = inputs.videos_in(settings.data)[-1]
        source, name = inputs.excerpt(real, settings.work / f"walkers-{frames}.mp4", frames), real.name
    count = frames if settings.data else FRAMES
    table.notes.append(f"speed: {count} frames of {name}, 720p, models loaded; the video is drawn on and written")
    found = _timed(settings, weights, str(source), count, texts)
    table.rounds = len(found["1"])
    for every in EVERY[1:]:
        what = f"{weights}: times as fast, detecting every {_nth(every)}"
        table.add(what, ratio(found["1"], found[str(every)]), "×", least=3.0 if every == 5 else None)
    for every in EVERY:
        ours, loop, nth = found[f"{every}"], found[f"{every} serial"], _nth(every)
        rate = Figure.of([count / sample.wall for sample in ours])
        table.add(f"frames a second, detecting every {nth}", rate, "")
        what = f"times as fast as a serial loop, detecting every {nth}"
        table.add(what, ratio(loop, ours), "×", note="same network, same tracker")
        limit = efficiency(ours, found[f"{every} calls"], [found[f"{every} alone"]])
        note = "limit: the larger of the network alone and the calls' processor time / cores, each on one thread"
        table.add(f"wall over the limit, detecting every {nth}", limit, "×", most=1.15, note=note)


def _timed(settings: Settings, weights: str, source: str, count: int, texts: dict[int, str]) -> dict[str, list[Sample]]:
    out, jobs = settings.work / "track", {}
    both = {"source": source, "weights": weights}
    for every, text in texts.items():
        bare = {"every": every, "x264": "default", "single": True}
        jobs[f"{every}"] = worker(flowing, text=text, out=str(out / f"{every}"), **both)
        jobs[f"{every} serial"] = worker(serial, out=str(out / f"{every}.mp4"), every=every, **both)
        jobs[f"{every} calls"] = worker(serial, out=str(out / f"{every}.calls.mp4"), **bare, **both)
        jobs[f"{every} alone"] = worker(network_alone, frames=-(-count // every), backend="own", **both)
    with ExitStack() as stack:
        for job in jobs.values():
            stack.callback(job.close)
        return settings.measured(f"track-{weights}", jobs)


def _nth(every: int) -> str:
    return {1: "frame", 2: "2nd frame"}.get(every, f"{every}th frame")
