"""A run on a folder with broken files, killed at random points and gone on with, ends as if nothing had happened."""

from __future__ import annotations

import csv
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tests.batch.batches import DOCUMENTS_PIPELINE, TABLES, Growing, album, everything, run, state

PATIENCE = 20.0
"""Seconds without a new row, from the first to the last, that count as a hang."""
Reading = tuple[int, float]


def started(pipeline: Path, folder: Path, out: Path, count: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A run, and again and again how many inputs it has written; fails where it stands still."""
    command = [sys.executable, "-m", "visionkit", "run", pipeline, folder, "-o", out, "--quiet"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONFAULTHANDLER": "1"})
    before, since = -1, math.inf
    tables = [Growing(out / f"{name}.jsonl.part") for name in ("results", "errors")]
    try:
        while process.poll() is None:
            rows = sum(table.lines() for table in tables)
            if rows != before:
                since = math.inf if before < 1 or rows == count else time.monotonic()
                before = rows
            if time.monotonic() - since > PATIENCE:
                process.send_signal(signal.SIGABRT)  # where every thread stands, to stderr
                pytest.fail(f"no new row for {PATIENCE} s after {rows}: exit code {process.wait()}")
            yield process, rows
            time.sleep(0.01)
    finally:
        process.kill()
        process.wait()


def megabytes(process: subprocess.Popen[bytes]) -> float:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int((status.partition("VmRSS:")[2].split() or ["0"])[0]) / 1024


def growth(readings: list[Reading]) -> float:
    """Megabytes per thousand inputs: the median of all pairs' slopes (P. K. Sen, 1968), of 200 readings at most."""
    kept = readings[:: -(-len(readings) // 200)]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(kept) for b in kept[i + 1 :] if b[0] > a[0]]
    return 1000 * median(slopes)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("count", "kills"),
    [(300, 3), pytest.param(10_000, 5, marks=[pytest.mark.nightly, pytest.mark.timeout(3600)])],
)
def test_killed_at_random_points_and_resumed(tmp_path: Path, samples: Path, count: int, kills: int) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    pipeline, folder, calm, out = (tmp_path / name for name in ("p.yaml", "in", "calm", "out"))
    pipeline.write_text(DOCUMENTS_PIPELINE)
    good, broken = album(folder, samples / "photos", count, bad=0.05)
    readings = [(rows, megabytes(process)) for process, rows in started(pipeline, folder, calm, count)]
    if count > 1000:
        settled = [reading for reading in readings if reading[0] > count / 5 and reading[1]]
        assert abs(growth(settled)) < 1, f"{settled[0]} ... {settled[-1]}"
    for point in sorted(random.Random(count).sample(range(count // 20, count - count // 20), kills)):
        for process, rows in started(pipeline, folder, out, count):
            if rows >= point:
                process.send_signal(signal.SIGKILL)
        assert (out / "results.jsonl.part").exists()
        assert not [name for name in (*TABLES, "coco.json", "results.parquet") if (out / name).exists()]
    text = run(pipeline, folder, "-o", out, code=3, timeout=1800)
    assert "were done by an earlier run" in text

    undisturbed, resumed = everything(calm), everything(out)
    assert sorted(resumed) == sorted(undisturbed)
    assert [name for name in resumed if resumed[name] != undisturbed[name]] == []
    once_in_every_output(out, good, broken)
    found = state(out)
    assert (found["done"], found["failed"], found["pending"], found["running"]) == (len(good), len(broken), 0, False)


def once_in_every_output(out: Path, good: list[str], broken: list[str]) -> None:
    import pyarrow.parquet

    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    assert [row["source"] for row in rows] == good
    objects = [row["source"] for row in rows for _ in row["contours"]]
    with (out / "results.csv").open(newline="") as file:
        assert [row["source"] for row in csv.DictReader(file)] == objects
    assert pyarrow.parquet.read_table(out / "results.parquet").column("source").to_pylist() == objects
    coco = json.loads((out / "coco.json").read_text())
    assert [image["file_name"] for image in coco["images"]] == good
    assert len(coco["annotations"]) == len(objects)
    errors = [json.loads(line) for line in (out / "errors.jsonl").read_text().splitlines()]
    assert [row["source"] for row in errors] == broken
    assert sum(row["code"] == "VK321" for row in errors) == len(broken[1::4])  # the bombs
    assert len(list(out.glob("[0-9]*/*"))) == len(list((out / "labels").glob("*/*"))) == len(good)
