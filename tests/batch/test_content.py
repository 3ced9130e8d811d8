"""Files that were touched, copied, swapped or whose results have gone: what is done again, and what is not."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batch.batches import everything, picture, state
from visionkit.api import Pipeline
from visionkit.runtime.content import BLOCK, BLOCKS, content_of
from visionkit.runtime.manifest import Manifest, manifest_path

YEAR = 31_536_000
OLDER = """
ALTER TABLE inputs RENAME TO newer;
CREATE TABLE inputs (
    name TEXT PRIMARY KEY,           -- what tables print in the column source
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,          -- nanoseconds
    plan TEXT NOT NULL,              -- what was computed: hash of the plan, and how a video was read
    state TEXT NOT NULL,             -- pending, done, failed
    attempts INTEGER NOT NULL DEFAULT 0,
    frames INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    position INTEGER,                -- the how-manyth to be written
    ends TEXT                        -- JSON: bytes in each shared table once its rows were written
) WITHOUT ROWID;
INSERT INTO inputs SELECT name, path, size, mtime, plan, state, attempts, frames, error, position, ends FROM newer;
DROP TABLE newer;
"""
"""The table as the first manifests had it."""


def done(pipeline: Path, folder: Path, out: Path) -> int:
    """How many inputs a run did."""
    return Pipeline.load(pipeline).write(folder, out=out).out


def rows(out: Path) -> dict[str, tuple[object, ...]]:
    with sqlite3.connect(manifest_path(out)) as db:
        return {row[0]: row[1:] for row in db.execute("SELECT name, mtime, content, outputs FROM inputs")}


def swap(one: Path, other: Path) -> None:
    """Each gets the other's name; sizes and times of both are made equal before."""
    most = max(path.stat().st_size for path in (one, other))
    for path in (one, other):
        path.write_bytes(path.read_bytes().ljust(most, b"\0"))  # decoders stop before it
        os.utime(path, (YEAR, YEAR))
    third = one.with_name("third")
    one.rename(third)
    other.rename(one)
    third.rename(other)


def test_a_folder_that_was_copied_or_touched_is_not_done_again(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert done(pipeline, folder, out) == 12
    before = everything(out), rows(out)
    shutil.copytree(folder, tmp_path / "copy")  # copy2: the same mtimes, another ctime
    shutil.rmtree(folder)
    (tmp_path / "copy").rename(folder)
    assert done(pipeline, folder, out) == 0
    for path in folder.iterdir():
        os.utime(path, (YEAR, YEAR))
    assert done(pipeline, folder, out) == 0
    assert everything(out) == before[0]
    assert {row[0] for row in rows(out).values()} == {YEAR * 10**9}
    assert {name: row[1:] for name, row in rows(out).items()} == {name: row[1:] for name, row in before[1].items()}


def test_a_file_of_the_same_size_and_time_is_another_one(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    swap(folder / "1.png", folder / "2.png")
    done(pipeline, folder, out)
    before = (out / "1.png").read_bytes(), (out / "2.png").read_bytes()
    swap(folder / "1.png", folder / "2.png")
    assert done(pipeline, folder, out) == 2
    assert ((out / "2.png").read_bytes(), (out / "1.png").read_bytes()) == before


def test_an_input_whose_result_has_gone_is_done_again(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done(pipeline, folder, out)
    before = everything(out)
    assert rows(out)["3.png"][2] == '["3.png"]'
    (out / "3.png").unlink()
    assert done(pipeline, folder, out) == 1
    assert {name: data for name, data in everything(out).items() if name.endswith(".png")} == {
        name: data for name, data in before.items() if name.endswith(".png")
    }


def test_every_file_of_an_input_is_remembered(folder: Path, tmp_path: Path) -> None:
    pipeline, out = tmp_path / "many.yaml", tmp_path / "out"
    outputs = [
        "media: {path: 'pictures/{source.relpath}'}",
        "yolo",
        "voc",
        "crops",
        "csv: {path: 't/{source.stem}.csv'}",
    ]
    lines = ["stages:", "  - contours: {}", "outputs:", *(f"  - {line}" for line in outputs), "  - jsonl", "  - coco"]
    pipeline.write_text("\n".join(lines) + "\n")
    done(pipeline, folder, out)
    found = [name for row in rows(out).values() for name in json.loads(str(row[2]))]
    shared = {"results.jsonl", "coco.json", "data.yaml"}
    assert any(name.startswith("crops/") for name in found)
    assert sorted(found) == sorted(set(everything(out)) - shared)


def test_names_that_are_no_unicode(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    try:
        (folder / "1.png").rename(folder / os.fsdecode(b"caf\xe9.png"))
    except OSError:
        pytest.skip("this file system holds no such name")
    assert done(pipeline, folder, tmp_path / "out") == 12
    assert done(pipeline, folder, tmp_path / "out") == 0


def test_a_manifest_of_an_older_version_is_gone_on_with(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done(pipeline, folder, out)
    with sqlite3.connect(manifest_path(out)) as db:
        db.executescript(OLDER)
    assert state(out)["done"] == 12  # looking on changes nothing
    with closing(Manifest(out, readonly=True)) as manifest:
        assert manifest.row("1.png").content is None  # type: ignore[union-attr]
        assert manifest.slowest() == []
    assert done(pipeline, folder, out) == 0
    picture(folder / "3.png", 99)
    assert done(pipeline, folder, out) == 1
    assert [name for name, row in rows(out).items() if row[1]] == ["3.png"]


def test_a_file_that_changes_while_it_is_read_is_not_known(pipeline: Path, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    touched, original = folder / "11.png", content_of

    def late(path: str) -> object:
        if path.endswith("/11.png"):
            os.utime(touched, (YEAR, YEAR))
        return original(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("visionkit.runtime.ledger.content_of", late)
        done(pipeline, folder, out)
    assert [name for name, row in rows(out).items() if row[1] is None] == ["11.png"]
    assert done(pipeline, folder, out) == 1


def test_what_a_hash_can_tell(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    known = {}
    for ext in ("png", "jpg", "webp", "bmp"):
        path = tmp_path / f"x.{ext}"
        cv2.imwrite(str(path), pixels)
        assert path.stat().st_size > BLOCK * BLOCKS
        known[ext] = content_of(str(path))
    assert known.pop("bmp") is None  # a pixel of its middle changes nothing else
    assert None not in known.values()
    path = tmp_path / "x.png"
    size = path.stat().st_size
    data = bytearray(path.read_bytes())
    for place in (0, size - 1, size * 3 // 7):
        changed = bytearray(data)
        changed[place] ^= 1
        path.write_bytes(changed)
        assert content_of(str(path))[1] != known["png"][1]  # type: ignore[index]
    os.mkfifo(tmp_path / "pipe")
    for nothing in ("pipe", "missing.png", ""):
        assert content_of(str(tmp_path / nothing)) is None
    assert content_of("s3://bucket/x.png") is None
