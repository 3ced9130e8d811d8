"""Runs on folders go on where they stopped: stopped, broken and changed inputs, parts of a folder."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.app.test_run import video
from tests.batch.batches import PIPELINE, SLOW, TABLES, picture, pictures, run, sources, state


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


def test_a_video_that_is_read_otherwise_replaces_nothing_unasked(pipeline: Path, tmp_path: Path) -> None:
    source, out = video(tmp_path / "clip.mp4", 10), tmp_path / "out"
    run(pipeline, source, "-o", out)
    before = (out / "results.jsonl").read_bytes()
    assert "read otherwise" in run(pipeline, source, "-o", out, "--from", 0.2, code=5)
    assert (out / "results.jsonl").read_bytes() == before
    run(pipeline, source, "-o", out, "--from", 0.2, "--overwrite")
    assert len((out / "results.jsonl").read_text().splitlines()) == 5, "the frame at 0.2 s is one of them"


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
