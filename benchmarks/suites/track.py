"""Detect every fifth frame and track between, against detecting every frame: speed, and what it costs in HOTA.

YOLO11n finds people, ByteTrack carries them. Speed on a real video of people who walk by, where one is given (--data);
HOTA (Luiten et al., IJCV 2021), by the package trackers, on the bundled video of six people and a dog (226 frames at an
irregular rate), whose truth is known exactly.
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
from benchmarks.suites.filters import visionkit_job
from benchmarks.suites.video import flowing
from benchmarks.table import Table
from benchmarks.timing import Figure, in_turn, ratio

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
    with ExitStack() as stack:
        jobs = {}
        for every, text in texts.items():
            job = worker(flowing, text=text, source=str(source), out=str(settings.work / "track" / str(every)))
            stack.callback(job.close)
            jobs[every] = job
        found = in_turn(jobs, settings.rounds)
    for every in EVERY[1:]:
        what = f"{weights}: times as fast, detecting every {_nth(every)}"
        table.add(what, ratio(found[1], found[every]), "×", least=3.0 if every == 5 else None)
    for every in EVERY:
        rate = Figure.of([count / sample.wall for sample in found[every]])
        table.add(f"frames a second, detecting every {_nth(every)}", rate, "")


def _nth(every: int) -> str:
    return {1: "frame", 2: "2nd frame"}.get(every, f"{every}th frame")
