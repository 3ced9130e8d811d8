"""A full disk has a name, leaves nothing half under a final name, and room lets the run go on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batch.batches import DOCUMENTS_PIPELINE, TABLES, run

PIPELINE = DOCUMENTS_PIPELINE + '  - jsonl: {path: "each/{source.stem}.jsonl"}\n'
COUNT = 20
DOCUMENTS = ("coco.json", "results.parquet")
SCRIPT = """
mount -t tmpfs -o size=$2k none $1 || exit 77
run() { $PYTHON -m visionkit run $3 $4 -o $1/out; echo code $?; }
run "$@"
find $1/out -type f -printf 'left %P %s\\n'
mount -o remount,size=60m $1
run "$@"
cp -r $1/out $5
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pipeline, twenty pictures of noise (2.4 MB), and what a run with room makes of them."""
    place = tmp_path_factory.mktemp("place")
    (place / "p.yaml").write_text(PIPELINE)
    folder = place / "in"
    folder.mkdir()
    noise = np.random.default_rng(0)
    for i in range(COUNT):
        cv2.imwrite(str(folder / f"{i}.png"), noise.integers(0, 255, (200, 200, 3), dtype=np.uint8))
    run(place / "p.yaml", folder, "-o", place / "calm")
    return place


def on_small_disk(kilobytes: int, pipeline: Path, folder: Path, saved: Path) -> tuple[str, dict[str, int]]:
    """Runs into a disk of that size, then once more with room; what it printed, and the files after the first run."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    small = saved.parent / "small"
    small.mkdir()
    arguments = [small, kilobytes, pipeline, folder, saved]
    done = subprocess.run(
        ["unshare", "-m", "bash", "-c", SCRIPT, "_", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "PYTHON": sys.executable},
    )
    if done.returncode in (1, 77) and "code" not in done.stdout:
        pytest.skip("this machine lets nobody mount a small disk")
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("left")]
    return done.stdout + done.stderr, {name: int(size) for _, name, size in lines}


def room(out: Path) -> int:
    """Kilobytes that the files of a run take, in pages of four."""
    return sum(-(-path.stat().st_size // 4096) * 4 for path in out.rglob("*") if path.is_file())


@pytest.mark.parametrize("where", ["on the way", "at the end"])
def test_a_full_disk(place: Path, tmp_path: Path, where: str) -> None:
    calm, saved = place / "calm", tmp_path / "saved"
    whole = room(calm)
    kilobytes = whole // 3 if where == "on the way" else whole - (calm / DOCUMENTS[0]).stat().st_size // 2048
    text, left = on_small_disk(kilobytes, place / "p.yaml", place / "in", saved)
    assert "VK331" in text, text
    assert "unexpected" not in text
    assert "code 5" in text
    assert "code 0" in text, text
    if where == "on the way":
        assert not [name for name in left if name in (*TABLES, *DOCUMENTS)], left
    else:  # what was whole by then may have its name
        assert sum(name.endswith(".png") for name in left) == COUNT, left
        assert "coco.json" not in left, left
    assert all(size for name, size in left.items() if name.endswith(".png")), left
    for path in (path for path in calm.rglob("*") if path.is_file() and ".visionkit" not in path.parts):
        assert (saved / path.relative_to(calm)).read_bytes() == path.read_bytes(), path.name
    assert not list(saved.rglob("*.part"))
    assert len(json.loads((saved / "coco.json").read_text())["images"]) == COUNT
