"""The three networks of PP-OCR: where lines are, which of them stand on their head, what they say.

PaddleOCR (Apache-2.0), as RapidOCR exports it to ONNX. What goes in depends on one picture or line alone, so batches
change nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from visionkit.backends.onnx import OnnxSet
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

LINE_HEIGHT = 48
MIN_LINE_WIDTH, WIDTH_STEP = 320, 64
MAX_LINE_WIDTH = 4096
DIRECTION_WIDTH, DIRECTION_SURE = 192, 0.9
WIDEST = 8  # pictures wider than so many times their height get bars above and below, or the detector sees no lines
LONGEST, LONGEST_GROWN = 2000, 2944


class PpOcr:
    """What PP-OCR can do, one method a network. Pixels are (H, W, 3) uint8, blue first."""

    def __init__(self, networks: OnnxSet) -> None:
        names = networks.entry.settings
        self._networks = networks
        self._detection, self._recognition = names["detection"], names["recognition"]
        self._direction = names["direction"]
        characters = networks.metadata(self._recognition)["character"].splitlines()
        self._characters = np.array(["", *characters, " "], dtype=object)  # 0 is the blank of CTC

    def probabilities(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """Where text is: maps (N, H, W) in 0..1, for pictures of one size."""
        planes = np.stack([_planes(picture) for picture in pictures])
        return np.asarray(self._networks.run(self._detection, planes)[:, 0])

    def upright(self, lines: Sequence[Pixels]) -> list[Pixels]:
        """The lines, those that stand on their head turned round."""
        if not lines:
            return []
        planes = np.stack([_line_planes(line, DIRECTION_WIDTH) for line in lines])
        turned = self._networks.run(self._direction, planes)[:, 1] > DIRECTION_SURE
        return [cv2.rotate(line, cv2.ROTATE_180) if turn else line for line, turn in zip(lines, turned, strict=True)]

    def read(self, lines: Sequence[Pixels]) -> list[tuple[str, float]]:
        """Text and mean score of its characters for each line."""
        groups: dict[int, list[int]] = {}
        for place, line in enumerate(lines):
            groups.setdefault(_line_width(line), []).append(place)
        readings: dict[int, tuple[str, float]] = {}
        for width, places in groups.items():
            planes = np.stack([_line_planes(lines[place], width) for place in places])
            for place, scores in zip(places, self._networks.run(self._recognition, planes), strict=True):
                readings[place] = self._decoded(scores)
        return [readings[place] for place in range(len(lines))]

    def _decoded(self, scores: NDArray[np.float32]) -> tuple[str, float]:
        """Greedy CTC on scores (T, characters): repeats count once, blanks separate."""
        best = scores.argmax(axis=1)
        kept = best != 0
        kept[1:] &= best[1:] != best[:-1]
        text = "".join(self._characters[best[kept]])
        return text, float(scores.max(axis=1)[kept].mean()) if kept.any() else 0.0


def detection_size(width: int, height: int, short: int) -> tuple[int, int, int]:
    """How a picture is prepared for the detector.

    Args:
        width: of the picture.
        height: of the picture.
        short: its shorter side is enlarged to at least this.

    Returns:
        width and height to scale to, multiples of 32, and the height of the bars to put above and below *before* that.
    """
    bar = max(0, (max(2 * width // WIDEST, 60) - height) // 2) if width > WIDEST * height or height <= 30 else 0
    high = height + 2 * bar
    ratio = min(1.0, LONGEST / max(width, high))
    if min(width, high) * ratio < short:
        ratio = min(short / min(width, high), max(1.0, LONGEST_GROWN / max(width, high)))
    return _multiple(width * ratio), _multiple(high * ratio), bar


def prepared(pixels: Pixels, wide: int, high: int, bar: int) -> Pixels:
    """``pixels`` with bars, scaled: see :func:`detection_size`."""
    barred = cv2.copyMakeBorder(pixels, bar, bar, 0, 0, cv2.BORDER_CONSTANT, value=(0, 0, 0)) if bar else pixels
    return np.asarray(cv2.resize(barred, (wide, high)), np.uint8)


def _line_width(line: Pixels) -> int:
    """Width of the recogniser's input for a line, in steps, so that lines of about one length share a batch."""
    natural = math.ceil(LINE_HEIGHT * line.shape[1] / line.shape[0])
    return min(max(MIN_LINE_WIDTH, -(-natural // WIDTH_STEP) * WIDTH_STEP), MAX_LINE_WIDTH)


def _line_planes(line: Pixels, width: int) -> NDArray[np.float32]:
    natural = min(width, math.ceil(LINE_HEIGHT * line.shape[1] / line.shape[0]))
    planes = np.zeros((3, LINE_HEIGHT, width), np.float32)
    planes[:, :, :natural] = _planes(np.asarray(cv2.resize(line, (natural, LINE_HEIGHT)), np.uint8))
    return planes


def _planes(pixels: Pixels) -> NDArray[np.float32]:
    """(H, W, 3) uint8 → (3, H, W) in -1..1."""
    return np.asarray(pixels.transpose(2, 0, 1), np.float32) / np.float32(127.5) - np.float32(1)


def _multiple(length: float) -> int:
    return max(32, round(length / 32) * 32)
