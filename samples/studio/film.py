"""Writes a scene as a video with sound and exact ground truth beside it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from samples.studio.geometry import Floats
from samples.studio.scene import Scene, Seen

Frame = tuple[int, NDArray[np.uint8], list[Seen]]
"""Time stamp in units of the film's time base, picture, truth."""


@dataclass(frozen=True)
class Film:
    """A video to be made.

    Args:
        name: file name without suffix.
        scene: what it shows.
        stamps: time stamp of every frame, ascending, in units of ``time_base``.
        time_base: seconds.
        duration: of the whole, in the same units.
        rate: what the file says its frame rate is.
        tones: frequencies in hertz of the sound, one a channel; none is silence without a track.
        sampling: of the sound, in hertz.
        quality: x264's constant rate factor.
        mark: whether every picture carries its number (see ``numbered``).
    """

    name: str
    scene: Scene
    stamps: tuple[int, ...]
    time_base: Fraction
    duration: int
    rate: Fraction = Fraction(25)
    tones: tuple[float, ...] = ()
    sampling: int = 48_000
    quality: int = 23
    mark: bool = False

    def frames(self, only: Iterable[int] | None = None) -> Iterator[Frame]:
        """Every frame, or those of the given numbers."""
        for index in range(len(self.stamps)) if only is None else only:
            picture, seen = self.scene.render(float(self.stamps[index] * self.time_base))
            yield self.stamps[index], numbered(picture, index) if self.mark else picture, seen


def numbered(picture: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    """Eight squares in the upper left corner, white is 1, highest bit first: the frame's number for tests."""
    side = picture.shape[0] // 18
    for bit in range(8):
        picture[:side, bit * side : (bit + 1) * side] = 255 if index >> (7 - bit) & 1 else 0
    return picture


def make(film: Film, folder: Path, lying: bool = False) -> None:
    """Writes NAME.mp4, NAME.json and NAME.mot.txt.

    Args:
        film: what.
        folder: where.
        lying: store the frames turned anticlockwise; the truth is about them upright.
    """
    width, height = film.scene.size[::-1] if lying else film.scene.size
    truth = []
    with av.open(
        str(folder / f"{film.name}.mp4"), "w", options={"fflags": "+bitexact", "movflags": "+faststart"}
    ) as file:
        video = file.add_stream("libx264", rate=film.rate, options={"crf": str(film.quality), "preset": "slower"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        video.time_base = video.codec_context.time_base = film.time_base
        video.codec_context.gop_size, video.codec_context.thread_count = 50, 1
        video.codec_context.color_range, video.codec_context.colorspace = 1, 6  # what OpenCV's conversion makes
        sound = _sound_stream(file, film)
        for stamp, picture, seen in film.frames():
            truth.append((stamp, seen))
            picture = cv2.rotate(picture, cv2.ROTATE_90_COUNTERCLOCKWISE) if lying else picture
            frame = av.VideoFrame.from_ndarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), "yuv420p")
            frame.pts, frame.time_base = stamp, film.time_base
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
        if sound is not None:
            for block in _tone(film):
                file.mux(sound.encode(block))
            file.mux(sound.encode(None))
    write_truth(film, truth, folder)


def _sound_stream(file: Any, film: Film) -> Any:
    """The AAC track, None for a silent film."""
    if not film.tones:
        return None
    stream = file.add_stream("aac", rate=film.sampling)
    stream.bit_rate = 48_000
    stream.layout = "stereo" if len(film.tones) == 2 else "mono"
    return stream


def _tone(film: Film) -> Iterator[av.AudioFrame]:
    """A soft note that swells once a second, in blocks of 1024 samples."""
    count = int(film.sampling * film.duration * film.time_base)
    seconds = np.arange(count) / film.sampling
    swell = 0.16 * np.sin(np.pi * seconds) ** 2
    wave = np.stack([swell * np.sin(2 * np.pi * tone * seconds) for tone in film.tones]).astype(np.float32)
    for start in range(0, count, 1024):
        block = np.ascontiguousarray(wave[:, start : start + 1024])
        frame = av.AudioFrame.from_ndarray(block, "fltp", "stereo" if len(film.tones) == 2 else "mono")
        frame.sample_rate, frame.pts, frame.time_base = film.sampling, start, Fraction(1, film.sampling)
        yield frame


def write_truth(film: Film, truth: list[tuple[int, list[Seen]]], folder: Path) -> None:
    """NAME.json, one line a frame, and NAME.mot.txt as in the MOT challenge."""
    actors = {str(i): _who(actor.sprite) for i, actor in enumerate(film.scene.actors, 1)}
    head = {
        "video": f"{film.name}.mp4",
        "size": list(film.scene.size),
        "time_base": str(film.time_base),
        "duration": film.duration,
        "objects": actors,
    }
    lines = [
        json.dumps({"index": i, "pts": stamp, "objects": [_object(one) for one in seen if _matters(one, film)]})
        for i, (stamp, seen) in enumerate(truth)
    ]
    text = json.dumps(head)[:-1] + ', "frames": [\n' + ",\n".join(lines) + "\n]}\n"
    (folder / f"{film.name}.json").write_text(text, encoding="utf-8")
    rows = [_mot(i, one, film) for i, (_, seen) in enumerate(truth, 1) for one in seen if _matters(one, film)]
    (folder / f"{film.name}.mot.txt").write_text("".join(rows), encoding="utf-8")


def _who(sprite: Any) -> dict[str, str]:
    """Class, cut-out and plate of an object."""
    plate = {"plate": sprite.plate_text} if sprite.plate_text else {}
    return {"class": sprite.look.label, "cutout": sprite.look.file, **plate}


def _clipped(box: Floats, film: Film) -> Floats:
    """The part of a box inside the frame."""
    return np.clip(box, 0, np.tile(film.scene.size, 2))


def _matters(one: Seen, film: Film) -> bool:
    """Whether its box touches the frame; hidden objects stay in the truth."""
    x1, y1, x2, y2 = _clipped(one.box, film)
    return bool(x2 > x1 and y2 > y1)


def _object(one: Seen) -> dict[str, Any]:
    """One object as it stands in the JSON."""
    out: dict[str, Any] = {
        "id": one.number,
        "class": one.label,
        "box": _rounded(one.box),
        "visible": round(one.visible, 3),
    }
    if one.plate is not None:
        box = np.concatenate([one.plate.min(0), one.plate.max(0)])
        out["plate"] = {
            "text": one.text,
            "box": _rounded(box),
            "corners": [_rounded(corner) for corner in one.plate],
            "visible": round(one.plate_visible, 3),
        }
    return out


def _rounded(values: Floats) -> list[float]:
    """To a hundredth of a pixel."""
    return [round(float(value), 2) for value in values]


def _mot(number: int, one: Seen, film: Film) -> str:
    """Frame from 1, id, left, top, width, height inside the frame, 1 to be counted, class, visible share."""
    x1, y1, x2, y2 = _clipped(one.box, film)
    counted = int(one.visible >= 0.1)
    kind = {"person": 1, "dog": 2, "car": 3, "bus": 4, "truck": 5}[one.label]
    return f"{number},{one.number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{counted},{kind},{one.visible:.3f}\n"


def turn_film(path: Path, stored_height: int) -> None:
    """Marks a video as one to be shown turned clockwise by 90 degrees, as phones do.

    Args:
        path: an MP4 with one video track; its display matrix (ISO 14496-12, track header) is rewritten in place.
        stored_height: of the frames as they lie in the file.
    """
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd")
    matrix = at + 4 + (40 if data[at + 4] == 0 else 52)
    one = 1 << 16
    struct.pack_into(">9i", data, matrix, 0, one, 0, -one, 0, 0, stored_height * one, 0, 1 << 30)
    path.write_bytes(bytes(data))
