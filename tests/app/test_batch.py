"""Runs on folders go on where they stopped: killed, full disk, broken and changed inputs, parts of a folder."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

PIPELINE = """
stages:
  - filter.blur: {size: 3}
  - contours: {}
outputs:
  - media
  - jsonl
  - csv
"""
SLOW = """
import sys, time
from pathlib import Path
from visionkit.api import Job, Pipeline
pause = float(sys.argv[4])
job = Job(Pipeline.load(sys.argv[1]).plan, Pipeline.load(sys.argv[1])._run_settings(), lambda packet: time.sleep(pause))
job.run([sys.argv[2]], out=Path(sys.argv[3]))
"""
TABLES = ("results.jsonl", "results.csv")


def visionkit(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "visionkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def run(*arguments: object, code: int = 0) -> str:
    done = visionkit("run", *arguments)
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout + done.stderr


def state(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(visionkit("status", out, "--json").stdout)
    return found


def sources(out: Path) -> list[str]:
    return [json.loads(line)["source"] for line in (out / "results.jsonl").read_text().splitlines()]


def picture(path: Path, seed: int) -> None:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(blocks, (64, 48), interpolation=cv2.INTER_NEAREST))


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    path = tmp_path / "p.yaml"
    path.write_text(PIPELINE)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twelve pictures."""
    return pictures(tmp_path / "in", 12)


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        picture(folder / f"{i}.png", i)
    return folder


def killed_at(row: int, pipeline: Path, folder: Path, out: Path, pause: float) -> list[int]:
    """Runs until the table has so many rows, then SIGKILL; kB of memory at a quarter of the way and at the end."""
    process = subprocess.Popen([sys.executable, "-c", SLOW, pipeline, folder, out, str(pause)])
    memory = []
    while process.poll() is None:
        part = out / "results.jsonl.part"
        rows = part.read_bytes().count(b"\n") if part.exists() else 0
        if rows > row / 4 * (1 + 3 * len(memory)):
            status = Path(f"/proc/{process.pid}/status").read_text()
            memory.append(int(status.partition("VmRSS:")[2].split()[0]))
        if rows >= row:
            process.send_signal(signal.SIGKILL)
            process.wait()
            break
        time.sleep(0.02)
    return memory


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
@pytest.mark.parametrize(
    ("count", "kills", "pause"),
    [(150, 3, 0.006), pytest.param(10_000, 5, 0.0, marks=[pytest.mark.nightly, pytest.mark.timeout(1800)])],
)
def test_killed_at_random_points_and_resumed(
    pipeline: Path, tmp_path: Path, count: int, kills: int, pause: float
) -> None:
    folder = pictures(tmp_path / "in", count)
    run(pipeline, folder, "-o", tmp_path / "calm")
    out = tmp_path / "out"
    for row in sorted(random.Random(count).sample(range(10, count - 10), kills)):
        memory = killed_at(row, pipeline, folder, out, pause)
        assert (out / "results.jsonl.part").exists()
        if count > 1000 and len(memory) == 2:
            assert memory[1] < memory[0] * 1.15 + 20_000
    text = run(pipeline, folder, "-o", out)
    assert "were done by an earlier run" in text
    for name in TABLES:
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    shown = sorted(path.name for path in (tmp_path / "calm").iterdir())
    assert sorted(path.name for path in out.iterdir()) == shown
    assert len(shown) == count + 3  # the tables and the folder of the manifest
    found = state(out)
    assert (found["done"], found["failed"], found["pending"], found["running"]) == (count, 0, 0, False)


def test_stopped_by_a_signal_and_resumed(pipeline: Path, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 60), tmp_path / "out"
    command = [
        sys.executable,
        "-c",
        SLOW.replace("job.run", "import signal; signal.signal(signal.SIGTERM, lambda *_: job.stop()); job.run"),
        pipeline,
        folder,
        out,
        "0.03",
    ]
    process = subprocess.Popen(command)
    while not (out / "5.png").exists():
        time.sleep(0.02)
    process.terminate()
    assert process.wait(60) == 0
    assert 0 < len(sources(out)) < 60
    run(pipeline, folder, "-o", out)
    assert sources(out) == [f"{i}.png" for i in range(60)]


def test_nothing_is_done_twice_and_changed_inputs_are_done_again(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(pipeline, folder, "-o", out)
    tables = [(out / name).read_bytes() for name in TABLES]
    assert "12 inputs were done" in run(pipeline, folder, "-o", out)
    assert [(out / name).read_bytes() for name in TABLES] == tables
    picture(folder / "3.png", 99)
    picture(folder / "new.png", 100)
    assert "2 done of 2" in run(pipeline, folder, "-o", out)
    assert sorted(sources(out)) == sorted([f"{i}.png" for i in range(12)] + ["new.png"])
    run(pipeline, folder, "-o", tmp_path / "calm")
    assert sorted((out / "results.csv").read_text().splitlines()) == sorted(
        (tmp_path / "calm" / "results.csv").read_text().splitlines()
    )


def test_broken_inputs_cost_a_row_each_and_are_tried_again_on_demand(pipeline: Path, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 36), tmp_path / "out"
    (folder / "empty.jpg").touch()
    (folder / "text.png").write_text("this is no picture")
    (folder / "cut.png").write_bytes((folder / "1.png").read_bytes()[:60])
    (folder / "page.jpg").write_text("<!doctype html><p>404")
    run(pipeline, folder, "-o", out, code=3)
    assert len(sources(out)) == 36
    assert len((out / "errors.jsonl").read_text().splitlines()) == 4
    assert state(out)["failed"] == 4
    assert "4 of them failed" in run(pipeline, folder, "-o", out, code=3)
    picture(folder / "text.png", 7)  # it has changed, so it is done again by itself
    run(pipeline, folder, "-o", out, code=3)
    assert sources(out).count("text.png") == 1
    assert "0 done, 3 failed of 3" in run(pipeline, folder, "-o", out, "--retry-failed", code=3)
    assert len((out / "errors.jsonl").read_text().splitlines()) == 3
    failures = state(out)["failures"]
    assert isinstance(failures, list)
    assert {row["attempts"] for row in failures} == {2}


def test_results_of_others_are_never_replaced_unasked(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(pipeline, folder, "-o", out)
    before = (out / "results.csv").read_bytes()
    other = tmp_path / "other.yaml"
    other.write_text(PIPELINE.replace("size: 3", "size: 5"))
    assert "another pipeline" in run(other, folder, "-o", out, code=5)
    assert "holds results of" in run(pipeline, pictures(tmp_path / "in2", 3), "-o", out, code=5)
    assert "already" in run(pipeline, folder, "-o", out, "--no-resume", code=5)
    (out / "new.png").write_text("not ours")
    picture(folder / "new.png", 5)
    assert "already" in run(pipeline, folder, "-o", out, code=5)
    assert (out / "results.csv").read_bytes() == before
    assert "13 done of 13" in run(other, folder, "-o", out, "--overwrite")
    assert len(sources(out)) == 13


def test_a_limit_means_the_same_in_pieces(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(pipeline, folder, "-o", out, "--limit", 4)
    run(pipeline, folder, "-o", out, "--limit", 7)
    assert sources(out) == [f"{i}.png" for i in range(7)]
    run(pipeline, folder, "-o", out)
    assert sources(out) == [f"{i}.png" for i in range(12)]


def test_shards_are_all_of_it(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    found = []
    for part in ("1/3", "2/3", "3/3"):
        run(pipeline, folder, "-o", tmp_path / part, "--shard", part)
        found += sources(tmp_path / part)
    assert sorted(found) == sorted(f"{i}.png" for i in range(12))
    assert "another shard" in run(pipeline, folder, "-o", tmp_path / "1/3", "--shard", "2/3", code=5)
    assert "1/4" in run(pipeline, folder, "-o", tmp_path / "x", "--shard", "5/3", code=2)


def test_a_full_disk_has_a_name_and_room_lets_it_go_on(pipeline: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for i in range(40):  # 3.4 MB of pictures
        cv2.imwrite(str(folder / f"{i}.png"), noise.integers(0, 255, (170, 170, 3), dtype=np.uint8))
    small = tmp_path / "small"
    small.mkdir()
    script = f"""
        mount -t tmpfs -o size=2500k none {small} || exit 77
        {sys.executable} -m visionkit run {pipeline} {folder} -o {small}/out; echo code $?
        find {small}/out -name '*.png' -size 0
        mount -o remount,size=30m {small}
        {sys.executable} -m visionkit run {pipeline} {folder} -o {small}/out; echo code $?
        cp -r {small}/out {tmp_path}/saved
    """
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    done = subprocess.run(["unshare", "-m", "bash", "-c", script], capture_output=True, text=True, timeout=150)
    if done.returncode in (1, 77) and "code" not in done.stdout:
        pytest.skip("this machine lets nobody mount a small disk")
    assert "VK331" in done.stderr, done.stderr
    assert "code 5" in done.stdout
    assert "code 0" in done.stdout, done.stderr
    run(pipeline, folder, "-o", tmp_path / "calm")
    for name in TABLES:
        assert (tmp_path / "saved" / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    assert not list((tmp_path / "saved").glob("*.part"))
    assert all(cv2.imread(os.fspath(path)) is not None for path in (tmp_path / "saved").glob("*.png"))


def test_two_runs_never_write_into_one_folder(pipeline: Path, tmp_path: Path) -> None:
    folder, out = pictures(tmp_path / "in", 40), tmp_path / "out"
    process = subprocess.Popen([sys.executable, "-c", SLOW, pipeline, folder, out, "1"])
    try:
        while not (out / "0.png").exists():
            time.sleep(0.02)
        assert "at this moment" in run(pipeline, folder, "-o", out, code=2)
        assert "at this moment" in run(pipeline, folder, "-o", out, "--overwrite", code=2)
        assert state(out)["running"] is True
    finally:
        process.kill()
        process.wait()
