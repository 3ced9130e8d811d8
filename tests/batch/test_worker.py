"""A worker, without Ray: what it hands back for pieces that come at once, empty ones, and of what it cannot open."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.batch.batches import pictures
from visionkit.api import Pipeline
from visionkit.errors import StageError, UsageError
from visionkit.hub import ModelHub
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.runtime.context import RunSettings
from visionkit.runtime.distributed.joiner import Joiner
from visionkit.runtime.distributed.piece import Setup
from visionkit.runtime.distributed.worker import Worker
from visionkit.runtime.manifest import Manifest

TEXT = """
stages:
  - contours: {}
outputs:
  - media
  - jsonl
"""


def setup(text: str = TEXT, **over: Any) -> Setup:
    plan, settings = Pipeline.from_text(text).plan, RunSettings(workers=2, **over)
    return Setup(plan, settings, partial(ModelHub, settings), 2, Path.cwd(), version("visionkit"), {})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = pictures(tmp_path / "in", 60)
    (folder / "0.png").write_text("no picture")
    return folder


def test_pieces_that_come_at_once_get_what_is_theirs(folder: Path) -> None:
    (lane,) = open_sources([str(folder)], SourceOptions())
    worker = Worker()
    worker.start(setup())
    parts = [list(range(start, start + 5)) for start in range(0, 60, 5)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda part: worker.run(lane.part(part)), [*parts, []]))  # type: ignore[attr-defined]
    scratch = worker._out
    worker.close()
    assert not scratch.exists()
    assert found.pop().rows == ()
    for part, written in zip(parts, found, strict=True):
        names = [f"{i}.png" for i in part]
        good = [name for name in names if name != "0.png"]
        assert [row.name for row in written.rows] == names
        assert sorted(written.files) == sorted(good)
        assert [row.outputs for row in written.rows] == [(name,) if name in good else () for name in names]
        assert all(row.content and row.stamp.size for row in written.rows)
        assert [line.count(b'"source"') for line in written.tables["results.jsonl"].splitlines()] == [1] * len(good)
        assert (written.counts.out, written.counts.failed) == (len(good), len(names) - len(good))
    assert sum(len(written.tables["errors.jsonl"].splitlines()) for written in found) == 1


@pytest.mark.parametrize("node", [platform.node(), "another machine"])
def test_files_stay_on_this_machine_and_are_sent_from_others(folder: Path, tmp_path: Path, node: str) -> None:
    (lane,) = open_sources([str(folder)], SourceOptions())
    scratch, out = tmp_path / "scratch", tmp_path / "out"
    scratch.mkdir()
    worker = Worker()
    worker.start(replace(setup(), scratch=scratch, node=node))
    pieces = [worker.run(lane.part(part)) for part in ([3, 4], [5])]  # type: ignore[attr-defined]
    worker.close()
    stays = [
        isinstance(file, Path) and file.is_relative_to(scratch) for piece in pieces for file in piece.files.values()
    ]
    assert stays == [node == platform.node()] * 3
    manifest = Manifest(out)
    joiner = Joiner(manifest, [], out)
    for piece in pieces:
        joiner.join(piece)
    manifest.close()
    assert sorted(path.name for path in out.glob("*.png")) == ["3.png", "4.png", "5.png"]
    Pipeline.from_text(TEXT).write(folder, out=tmp_path / "calm")
    for name in ("3.png", "4.png", "5.png"):
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()
    assert not [path for path in scratch.rglob("*") if path.is_file() and path.name != "lock"]


def test_what_killed_workers_left_on_another_machine_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of a killed one alone: one is at work, one has just begun, one belongs to others."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    names = ("worker-killed", "worker-working", "worker-new", "benchmarks")
    killed, working, new, other = (tmp_path / f"visionkit-{name}" for name in names)
    for folder in (killed, new, other):
        (folder / "out").mkdir(parents=True)
    script = (
        f"from visionkit.runtime.lock import locked\nfrom pathlib import Path\nx = locked(Path({str(working)!r}))\n"
    )
    waits = [sys.executable, "-c", f"{script}print(1, flush=True)\ninput()"]
    with subprocess.Popen(waits, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        for folder in (killed, working, other):
            os.utime(folder, (1, 1))
        for left in ([working, new, other], [new, other]):
            worker = Worker()
            worker.start(setup())
            worker.close()
            assert sorted(tmp_path.iterdir()) == sorted(left)
            process.kill()
            process.wait()
            os.utime(new)


def test_a_failure_that_ends_the_run_ends_the_worker(folder: Path) -> None:
    (lane,) = open_sources([str(folder)], SourceOptions())
    worker = Worker()
    worker.start(setup(on_error="stop"))
    with pytest.raises(StageError, match="decode failed"):
        worker.run(lane.part([0, 1]))  # type: ignore[attr-defined]
    with pytest.raises(StageError, match="decode failed"):
        worker.run(lane.part([2]))  # type: ignore[attr-defined]
    worker.close()


def test_another_version_is_refused() -> None:
    other = Setup(*(getattr(setup(), name) if name != "version" else "0.0" for name in Setup.__dataclass_fields__))
    with pytest.raises(UsageError, match=r"the run 0\.0"):
        Worker().start(other)
