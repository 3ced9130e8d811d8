"""``zones.draw``: zones and lines with their counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Annotated, Image, Scores
from visionkit.lazy import cv2, np
from visionkit.stage import Color, MapStage, Probability, StageParams
from visionkit.stages.zones._shapes import LINES_HELP, ZONES_HELP, Lines, Zones, placed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Corners = NDArray[np.int32]

BGR = tuple[int, int, int]
SHIFT = 4  # OpenCV's drawing takes sixteenths of a pixel


class DrawZonesParams(StageParams):
    zones: Zones = Field({}, description=ZONES_HELP)
    lines: Lines = Field({}, description=LINES_HELP)
    color: Color = Field((251, 140, 0), description="Of borders and fillings.", validate_default=True)
    fill: Probability = Field(0.2, description="How much the colour covers the inside of a zone.")
    label: bool = Field(True, description="Write names and counts.")
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the lines; None suits the picture.")
    text_size: int | None = Field(None, ge=6, le=400, description="Height of the letters; None suits the picture.")


class DrawZones(MapStage[DrawZonesParams]):
    """Draws zones and lines, with the counts of ``zones.count`` or ``zones.line`` where they are given.

    The arrow on a line points the way that counts as ``in``. To name the shapes once, put them into ``vars``.

    Example:
        - zones.draw: {zones: {door: [[0.4, 0.5], [0.6, 0.5], [0.6, 1], [0.4, 1]]}}
    """

    def run(self, image: Annotated | Image, counts: Scores | None = None) -> Annotated:
        pixels = image.bgr().copy()
        color = self.params.color[::-1]
        width = self.params.thickness or max(1, round(min(image.width, image.height) / 300))
        values = counts.values if counts is not None else {}
        zones, lines = (_corners(shapes, image) for shapes in (self.params.zones, self.params.lines))
        for corners in zones.values():
            _zone(pixels, corners, color, self.params.fill, width)
        for corners in lines.values():
            _line(pixels, corners, color, width)
        if self.params.label:
            height = self.params.text_size or max(12, round(min(image.width, image.height) / 40))
            for name, corners in zones.items():
                _tag(pixels, _text(name, values, ("inside", "in", "out")), corners.mean(axis=0), height, color)
            for name, corners in lines.items():
                _tag(pixels, _text(name, values, ("in", "out")), corners[0], height, color)
        return image.annotated(pixels)


def _corners(shapes: Zones, image: Image) -> dict[str, NDArray[np.float64]]:
    """Each shape in pixels of the picture."""
    return {name: np.asarray(image.canvas.lower(points)) for name, points in placed(shapes, image.canvas).items()}


def _fixed(points: NDArray[np.float64]) -> Corners:
    """Points as OpenCV draws them: centres of pixels at whole numbers, in sixteenths."""
    return np.round((points - 0.5) * (1 << SHIFT)).astype(np.int32)


def _zone(pixels: Pixels, corners: NDArray[np.float64], color: BGR, fill: float, width: int) -> None:
    fixed = _fixed(corners)
    if fill:
        area, corner = _window(pixels, corners)
        mask, paint = np.zeros(area.shape[:2], np.uint8), np.empty_like(area)
        cv2.fillPoly(mask, [fixed - corner * (1 << SHIFT)], 255, cv2.LINE_8, SHIFT)
        cv2.rectangle(paint, (0, 0), paint.shape[1::-1], color, cv2.FILLED)
        cv2.copyTo(cv2.addWeighted(area, 1 - fill, paint, fill, 0), mask, area)
    cv2.polylines(pixels, [fixed], True, color, width, cv2.LINE_AA, SHIFT)


def _window(pixels: Pixels, corners: NDArray[np.float64]) -> tuple[Pixels, Corners]:
    """The part of the picture (at least a pixel) that a zone lies in, and where it begins: (2,)."""
    limit = np.array(pixels.shape[1::-1])
    low = np.clip(np.floor(corners.min(axis=0)).astype(np.int32) - 1, 0, limit - 1)
    high = np.maximum(np.clip(np.ceil(corners.max(axis=0)).astype(np.int32) + 1, 0, limit), low + 1)
    return pixels[low[1] : high[1], low[0] : high[0]], low


def _line(pixels: Pixels, ends: NDArray[np.float64], color: BGR, width: int) -> None:
    """The line, and an arrow from its middle to its right."""
    cv2.polylines(pixels, [_fixed(ends)], False, color, 2 * width, cv2.LINE_AA, SHIFT)
    way = ends[1] - ends[0]
    right = np.array([-way[1], way[0]]) / max(1e-9, float(np.hypot(*way)))
    middle = ends.mean(axis=0)
    start, tip = (tuple(p.tolist()) for p in _fixed(np.stack([middle, middle + right * 12 * width])))
    cv2.arrowedLine(pixels, start, tip, color, width, cv2.LINE_AA, SHIFT, 0.4)


def _text(name: str, values: Mapping[str, float], parts: tuple[str, ...]) -> str:
    counts = [f"{int(values[f'{name}.{part}'])} {part}" for part in parts if f"{name}.{part}" in values]
    return f"{name}: {', '.join(counts)}" if counts else name


def _tag(pixels: Pixels, text: str, at: NDArray[np.float64], height: int, color: BGR) -> None:
    """A line of text on a filled box around ``at``, moved to stay in the picture."""
    scale, weight, gap = height / 30, max(1, round(height / 14)), max(2, height // 5)
    (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, weight)
    size = wide + 2 * gap, high + below + 2 * gap
    x = int(np.clip(at[0] - size[0] / 2, 0, max(0, pixels.shape[1] - size[0])))
    y = int(np.clip(at[1] - size[1] / 2, 0, max(0, pixels.shape[0] - size[1])))
    cv2.rectangle(pixels, (x, y), (x + size[0] - 1, y + size[1] - 1), color, cv2.FILLED)
    blue, green, red = color
    ink = (0, 0, 0) if 0.114 * blue + 0.587 * green + 0.299 * red > 140 else (255, 255, 255)
    where = x + gap, y + gap + high
    cv2.putText(pixels, text, where, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, weight, cv2.LINE_AA)
