"""What tests of runs on folders share: a pipeline, folders of small pictures, the command line."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np

PIPELINE = """
stages:
  - filter.blur: {size: 3}
  - contours: {}
outputs:
  - media
  - jsonl
  - csv
"""
DOCUMENTS_PIPELINE = """
stages:
  - filter.blur: {size: 3}
  - contours: {min_area: 30, top_k: 8}
outputs:
  - media
  - jsonl
  - csv
  - coco
  - parquet
  - yolo
"""
"""With files, tables, and documents that are put together at the end."""
SLOW = """
import sys, time
from pathlib import Path
from visionkit.api import Job, Pipeline
pause = float(sys.argv[4])
job = Job(Pipeline.load(sys.argv[1]).plan, Pipeline.load(sys.argv[1])._run_settings(), lambda packet: time.sleep(pause))
job.run([sys.argv[2]], out=Path(sys.argv[3]))
"""
"""Runs argv[1] on argv[2] into argv[3], and waits argv[4] seconds after each picture."""
TABLES = ("results.jsonl", "results.csv")


def visionkit(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "visionkit", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout)


def run(*arguments: object, code: int = 0, timeout: float = 120) -> str:
    done = visionkit("run", *arguments, timeout=timeout)
    assert done.returncode == code, done.stderr + done.stdout
    return done.stdout + done.stderr


def state(out: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(visionkit("status", out, "--json").stdout)
    return found


def sources(out: Path) -> list[str]:
    return [json.loads(line)["source"] for line in (out / "results.jsonl").read_text().splitlines()]


class Growing:
    """A table that another process writes; what was read is not read again."""

    def __init__(self, path: Path) -> None:
        self._path, self._offset, self._lines = path, 0, 0

    def lines(self) -> int:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                new = file.read()
        except OSError:
            new = b""
        self._offset += len(new)
        self._lines += new.count(b"\n")
        return self._lines


def everything(out: Path) -> dict[str, bytes]:
    """All files below ``out`` but the manifest's."""
    files = (path for path in out.rglob("*") if path.is_file() and ".visionkit" not in path.parts)
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def picture(path: Path, seed: int) -> None:
    blocks = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(blocks, (64, 48), interpolation=cv2.INTER_NEAREST))


def pictures(folder: Path, count: int) -> Path:
    folder.mkdir()
    for i in range(count):
        picture(folder / f"{i}.png", i)
    return folder


def album(folder: Path, photos: Path, count: int, bad: float) -> tuple[list[str], list[str]]:
    """Small pictures cut from ``photos`` in folders of a thousand; names of the good and of the broken ones.

    Broken ones are cut off, bombs, no pictures at all, and empty, in turn.
    """
    noise = np.random.default_rng(count)
    whole = [cv2.imread(str(path)) for path in sorted(photos.glob("*.jpg"))]
    wrong = set(noise.choice(count, round(count * bad), replace=False).tolist())
    good, broken = [], []
    for i in range(count):
        name = f"{i // 1000}/{i}.{('jpg', 'png', 'webp', 'bmp')[i % 4]}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        source = whole[i % len(whole)]
        y, x = (int(noise.integers(0, side - 80)) for side in source.shape[:2])
        data = cv2.imencode(path.suffix, source[y : y + 72, x : x + 80])[1].tobytes()
        if i in wrong:
            data = (data[: len(data) // 2], BOMB, PAGE, b"")[len(broken) % 4]
        path.write_bytes(data)
        (broken if i in wrong else good).append(name)
    return good, broken


def _png_bomb() -> bytes:
    """900 million black pixels in a few hundred kilobytes, all checksums right."""
    side = 30_000
    squeeze = zlib.compressobj(9)
    row = bytes(side // 8 + 1)
    body = b"".join(squeeze.compress(row) for _ in range(side)) + squeeze.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)), (b"IDAT", body), (b"IEND", b""))
    parts = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


BOMB = _png_bomb()
PAGE = b"<!doctype html><title>404</title>" * 20
