"""Detect every fifth frame and track between, against detecting every frame: speed, and what it costs in HOTA.

On the bundled video of six people and a dog (226 frames at an irregular rate), whose truth is known exactly; YOLO11n
finds the people, ByteTrack carries them. HOTA (Luiten et al., IJCV 2021) by the package trackers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.child import ROOT, measure
from benchmarks.child import run as child
from benchmarks.suites import Settings
from benchmarks.suites.filters import visionkit_job
from benchmarks.table import Table
from benchmarks.timing import Figure, Sample, in_turn, ratio

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
    jobs: dict[str, Callable[[], Sample]] = {}
    for every in EVERY:
        text = PIPELINE.replace("WEIGHTS", weights).replace("EVERY", str(every))
        out = str(folder / str(every))
        jobs[str(every)] = partial(child, visionkit_job, text=text, source=str(SOURCE), out=out)
    found = in_turn(jobs, settings.rounds)
    for every in EVERY[1:]:
        name = f"{weights}: times as fast, detecting every {every} frames"
        table.add(name, ratio(found["1"], found[str(every)]), "×", least=3.0 if every == 5 else None)
    for every in EVERY:
        rate = Figure.of([FRAMES / sample.wall for sample in found[str(every)]])
        table.add(f"frames a second, detecting every {every}", rate, "")
        quality = measure(hota, out=str(folder / str(every)))[1]
        for label, value in zip(("HOTA", "MOTA"), quality, strict=True):
            table.add(f"{label}, detecting every {every}", Figure(value, value, value), "%")
