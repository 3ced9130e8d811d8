"""Writing video: visionkit's H.264, fast and default, against cv2's mp4v: speed, size, likeness.

A real video as it is, or a rendered one of 720p, is decoded into memory first; each job then writes it. Size and PSNR
(of the luma, over all frames) do not depend on the machine. "At equal PSNR" reads the size of H.264 at mp4v's PSNR off
the line through the sizes of several qualities (the logarithm of the size over PSNR is nearly straight).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks import inputs
from benchmarks.child import run as child
from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import Figure, Sample, figure, ratio

QUALITIES = (5, 15, 25, 40, 55, 75)


def pictures(source: str, most: int) -> list[np.ndarray]:
    """The first frames (H, W, 3) BGR."""
    reader, found = cv2.VideoCapture(source), []
    while len(found) < most:
        ok, frame = reader.read()
        if not ok:
            break
        found.append(frame)
    return found


def mp4v(source: str, out: str, most: int) -> Callable[[], Any]:
    """Written by cv2."""
    frames = pictures(source, most)
    height, width = frames[0].shape[:2]

    def work() -> None:
        writer = cv2.VideoWriter(out, cv2.VideoWriter.fourcc(*"mp4v"), inputs.RATE, (width, height))
        for frame in frames:
            writer.write(frame)
        writer.release()

    return work


def h264(source: str, out: str, most: int, speed: str, quality: int | None = None) -> Callable[[], Any]:
    """Written by visionkit's video file, conversion to 4:2:0 included."""
    from visionkit.data import Image
    from visionkit.media.sinks.video import VideoFile, VideoSettings, i420
    from visionkit.runtime.context import cores
    from visionkit.runtime.threads import encoder_threads, keep_memory
    from visionkit.stage.source import SourceInfo

    frames = pictures(source, most)

    def work() -> None:
        keep_memory()
        settings = VideoSettings(speed=speed, quality=quality, threads=encoder_threads(cores()))  # type: ignore[arg-type]
        file = VideoFile(Path(out), SourceInfo("x", "video", fps=inputs.RATE), settings, None, Fraction(0))
        for number, frame in enumerate(frames):
            picture = Image(frame)
            file.write(picture, i420(picture), Fraction(number, inputs.RATE))
        file.close()

    return work


def likeness(source: str, out: str) -> float:
    """PSNR of the luma in decibels, over all frames."""
    error, count = 0.0, 0
    written = pictures(out, sys.maxsize)
    for a, b in zip(pictures(source, len(written)), written, strict=True):
        grey = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY).astype(np.float64) for frame in (a, b)]
        error, count = error + float(((grey[0] - grey[1]) ** 2).sum()), count + grey[0].size
    return float(10 * np.log10(255**2 / (error / count)))


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    frames = settings.frames or 150
    folder = settings.work / "encode"
    folder.mkdir(parents=True, exist_ok=True)
    real = inputs.videos_in(settings.data) if settings.data else []
    source = str(real[0] if real else inputs.video(settings.work / f"{frames}.mp4", frames))
    height, width = pictures(source, 1)[0].shape[:2]
    table.notes.append(f"{frames} frames of a {'real' if real else 'rendered'} video, {width} × {height}.")
    out = {name: str(folder / f"{name}.mp4") for name in ("mp4v", "fast", "default")}
    jobs: dict[str, Callable[[], Sample]] = {"mp4v": partial(child, mp4v, source=source, out=out["mp4v"], most=frames)}
    for speed in ("fast", "default"):
        jobs[speed] = partial(child, h264, source=source, out=out[speed], most=frames, speed=speed)
    equal = _equal_quality(source, folder, frames)
    path = str(folder / "equal.mp4")
    jobs["equal"] = partial(child, h264, source=source, out=path, most=frames, speed="fast", quality=equal)
    found = settings.measured("encode", jobs)
    table.rounds = len(found["mp4v"])
    names = {"fast": "fast", "default": "default", "equal": f"fast, quality {equal} for mp4v's PSNR"}
    for job, name in names.items():
        least = 1.1 if job == "equal" else None
        table.add(f"{name}: times as fast as mp4v", ratio(found["mp4v"], found[job]), "×", least=least)
        table.add(f"{name}: mp4v's processor time over its", ratio(found["mp4v"], found[job], "cpu"), "×")
    for name in out:
        table.add(f"{name}: processor time a frame", figure(found[name], "cpu", 1000 / frames), "ms")
    _sizes(table, source, out, folder, frames)


def _sizes(table: Table, source: str, out: dict[str, str], folder: Path, most: int) -> None:
    size = {name: Path(path).stat().st_size for name, path in out.items()}
    psnr = {name: likeness(source, path) for name, path in out.items()}
    for name in out:
        table.add(f"{name}: size", _exact(size[name] / 1e6), "MB")
        table.add(f"{name}: PSNR", _exact(psnr[name]), "dB")
    table.add("default: size over mp4v's", _exact(size["default"] / size["mp4v"]), "×", most=0.5)
    for speed, limit in (("fast", 1.0), ("default", None)):
        equal = size_at(psnr["mp4v"], source, folder, most, speed)
        table.add(f"{speed}: size over mp4v's at equal PSNR", _exact(equal / size["mp4v"]), "×", most=limit)


def size_at(psnr: float, source: str, folder: Path, most: int, speed: str) -> float:
    """Bytes that our H.264 needs for a likeness, read off the line through several qualities."""
    return _at(psnr, *_line(source, folder, most, speed))


def _equal_quality(source: str, folder: Path, most: int) -> int:
    """The quality at which ``fast`` comes nearest to mp4v's PSNR."""
    path = str(folder / "first.mp4")
    mp4v(source, path, most)()
    wanted = likeness(source, path)
    found = []
    for quality in QUALITIES:
        path = str(folder / f"quality-{quality}.mp4")
        h264(source, path, most, "fast", quality)()
        found.append(likeness(source, path))
    return round(float(np.interp(wanted, found, QUALITIES)))


def _line(source: str, folder: Path, most: int, speed: str) -> tuple[list[float], list[float]]:
    """PSNR and the logarithm of the size at several qualities."""
    points = []
    for quality in QUALITIES:
        path = folder / f"{speed}-{quality}.mp4"
        h264(source, str(path), most, speed, quality)()
        points.append((likeness(source, str(path)), float(np.log(path.stat().st_size))))
    points.sort()
    return [psnr for psnr, _ in points], [size for _, size in points]


def _at(psnr: float, known: list[float], sizes: list[float]) -> float:
    """The size at a PSNR, between the nearest two points, or on the line through the last two beyond them."""
    place = int(np.clip(np.searchsorted(known, psnr), 1, len(known) - 1))
    share = (psnr - known[place - 1]) / (known[place] - known[place - 1])
    return float(np.exp(sizes[place - 1] + share * (sizes[place] - sizes[place - 1])))


def _exact(value: float) -> Figure:
    return Figure(value, value, value)
