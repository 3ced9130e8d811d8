"""The pictures and videos that suites work on, rendered, or found in a folder the user names."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

RATE = 25


def scene(number: int, width: int, height: int, backdrop: np.ndarray) -> np.ndarray:
    """Frame ``number`` (H, W, 3) BGR: a textured backdrop that pans, with figures that cross it."""
    frame = np.roll(backdrop, (number * 3) % width, axis=1).copy()
    for i in range(8):
        x = int((number * (4 + i) + i * 190) % (width + 200)) - 100
        y = int(height * (0.15 + 0.09 * i))
        color = tuple(int(c) for c in np.array([37 * i, 91 * i + 40, 151 * i + 80]) % 256)
        cv2.ellipse(frame, (x, y), (height // 20, height // 9), 0, 0, 360, color, -1, cv2.LINE_AA)
        cv2.circle(frame, (x, y - height // 7), height // 24, color, -1, cv2.LINE_AA)
    cv2.putText(
        frame, f"{number:05d}", (20, height - 30), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (255, 255, 255), 3, cv2.LINE_AA
    )
    return frame


def backdrop(width: int, height: int) -> np.ndarray:
    """Soft noise in three scales: neither flat, which encoders love, nor white noise, which no camera gives."""
    rng = np.random.default_rng(0)
    layers = []
    for cell in (8, 32, 128):
        small = rng.integers(0, 256, (height // cell + 2, width // cell + 2, 3), dtype=np.uint8)
        layers.append(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32))
    return np.clip(sum(layers) / len(layers), 0, 255).astype(np.uint8)


def video(path: Path, frames: int, width: int = 1280, height: int = 720) -> Path:
    """A rendered H.264 video at 25 frames a second; made once."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part, ground = path.with_suffix(".part.mp4"), backdrop(width, height)
    with av.open(str(part), "w") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "20"}
        stream.codec_context.time_base = Fraction(1, RATE)
        for number in range(frames):
            yuv = cv2.cvtColor(scene(number, width, height, ground), cv2.COLOR_BGR2YUV_I420)
            frame = av.VideoFrame.from_ndarray(yuv, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    part.rename(path)
    return path


def photos(folder: Path, count: int, width: int = 1920, height: int = 1080) -> Path:
    """A folder of rendered JPEGs, quality 90; made once."""
    folder.mkdir(parents=True, exist_ok=True)
    ground = backdrop(width, height)
    for number in range(count):
        path = folder / f"photo{number:04d}.jpg"
        if not path.exists():
            cv2.imwrite(str(path), scene(number * 17, width, height, ground), [cv2.IMWRITE_JPEG_QUALITY, 90])
    return folder


def videos_in(folder: Path) -> list[Path]:
    """The videos of a folder the user names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".mp4", ".avi", ".mkv", ".mov"})


def excerpt(source: Path, path: Path, frames: int, width: int = 1280, height: int = 720) -> Path:
    """The first frames of a real video, scaled, as H.264 at 25 frames a second; made once."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    reader, part = cv2.VideoCapture(str(source)), path.with_suffix(".part.mp4")
    with av.open(str(part), "w") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "fast", "crf": "18"}
        for number in range(frames):
            ok, picture = reader.read()
            if not ok:
                break
            scaled = cv2.resize(picture, (width, height), interpolation=cv2.INTER_CUBIC)
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2YUV_I420), format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    part.rename(path)
    return path
