"""``crop``: a window of the picture, or the best object of it."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field

from visionkit.data import ABSENT, Detections, Homography, Image
from visionkit.errors import DataError
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams
from visionkit.stages.geometry._sampling import warped
from visionkit.stages.geometry._window import Length, in_pixels


class CropParams(StageParams):
    x: Length | None = Field(
        None, description="Left edge: pixels (20) or a fraction of the width (0.1). Left out: centred."
    )
    y: Length | None = Field(None, description="Top edge: pixels or a fraction of the height. Left out: centred.")
    width: Length | None = Field(None, description="Width: pixels or a fraction. Left out: up to the right edge.")
    height: Length | None = Field(None, description="Height: pixels or a fraction. Left out: down to the bottom.")
    which: Literal["best", "largest"] = Field("best", description="With boxes: the highest score, or the largest area.")
    pad: float = Field(
        0.0, ge=0, le=10, description="With boxes: margin on every side, as a fraction of the box's size."
    )
    straighten: bool = Field(True, description="With rotated boxes: turn the object upright.")

    @property
    def has_window(self) -> bool:
        return any(v is not None for v in (self.x, self.y, self.width, self.height))


class Crop(MapStage[CropParams]):
    """Cuts out a window, given in the file or by an object that an earlier stage found.

    ``in: {boxes: plate}`` crops to the best box of ``plate``; where there is none, the stage yields nothing (absent)
    and the stages that would work on the crop are skipped. A window that reaches over the edge is cut at it.

    Raises:
        DataError: the window lies wholly outside the picture.

    Example:
        - crop: {x: 0.25, y: 0.25, width: 0.5, height: 0.5}
        - crop: {in: {boxes: plate}, pad: 0.1}
    """

    def run(self, image: Image, boxes: Detections | None = None) -> Image:
        if self.params.has_window:
            return image.crop(*self._window(image))
        if boxes is None or not len(boxes):
            return ABSENT  # type: ignore[return-value]  # a stage may have nothing to give
        rank: Any = boxes.score if self.params.which == "best" else boxes.column("area")
        return self._object(image, boxes.select([int(np.argmax(rank))]).on(image.canvas))

    def _window(self, image: Image) -> tuple[int, int, int, int]:
        p = self.params
        x, width = _span(p.x, p.width, image.width, "x")
        y, height = _span(p.y, p.height, image.height, "y")
        return x, y, width, height

    def _object(self, image: Image, box: Detections) -> Image:
        if self.params.straighten and box.corners is not None:
            return _upright(image, box.corners[0].astype(np.float64), self.params.pad)
        x1, y1, x2, y2 = (float(v) for v in box.xyxy[0])
        along, down = (x2 - x1) * self.params.pad, (y2 - y1) * self.params.pad
        left, right = max(0, math.floor(x1 - along)), min(image.width, math.ceil(x2 + along))
        top, bottom = max(0, math.floor(y1 - down)), min(image.height, math.ceil(y2 + down))
        if right <= left or bottom <= top:
            return ABSENT  # type: ignore[return-value]  # the object lies outside this picture
        return image.crop(left, top, right - left, bottom - top)


def _span(start: Any, length: Any, side: int, name: str) -> tuple[int, int]:
    """First pixel and number of pixels along one side."""
    if start is None:
        size = side if length is None else min(side, max(1, round(in_pixels(length, side))))
        return (side - size) // 2, size
    first = round(in_pixels(start, side))
    if first >= side:
        raise DataError(f"crop: the window begins at {name} = {first}, but the picture has {side} pixels along {name}")
    size = side - first if length is None else max(1, round(in_pixels(length, side)))
    return first, min(size, side - first)


def _upright(image: Image, corners: Any, pad: float) -> Image:
    """The quadrilateral ``corners`` (4, 2), clockwise from its top left, as an upright rectangle."""
    middle = corners.mean(axis=0)
    corners = middle + (corners - middle) * (1 + 2 * pad)
    edges = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = max(1, round(max(edges[0], edges[2]))), max(1, round(max(edges[1], edges[3])))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    step = Homography(cv2.getPerspectiveTransform(target, corners.astype(np.float32)))
    return warped(image, step, (width, height), "linear", (0, 0, 0))
