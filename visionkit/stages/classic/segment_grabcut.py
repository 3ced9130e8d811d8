"""``segment.grabcut``: from a box to a mask."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from pydantic import Field

from visionkit.data import Detections, Image, Masks, Region
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class GrabcutParams(StageParams):
    rounds: int = Field(3, ge=1, le=20, description="Rounds of refinement; each takes as long as the first.")
    margin: float = Field(
        0.25, gt=0, le=2, description="How much of the ground around a box is looked at: share of it."
    )


class Grabcut(MapStage[GrabcutParams]):
    """Cuts every object out of the ground inside its box: the objects that came in, now with masks.

    Colours outside the box are ground, colours inside it are divided by their likeness. Where nothing can be divided
    the mask is the whole box. C. Rother, V. Kolmogorov and A. Blake, GrabCut, SIGGRAPH 2004.

    Example:
        - segment.grabcut: {rounds: 3}
    """

    def run(self, image: Image, boxes: Detections) -> Detections:
        here = boxes.on(image.canvas)
        masks = Masks(tuple(self._mask(image, [float(v) for v in box]) for box in here.xyxy))
        return replace(here, masks=masks)

    def _mask(self, image: Image, box: list[float]) -> Region:
        left, top, right, bottom = _window(image, box, 0.0)
        x, y, x_end, y_end = _window(image, box, self.params.margin)
        inside = np.s_[top - y : bottom - y, left - x : right - x]
        pixels = np.ascontiguousarray(image.bgr()[y:y_end, x:x_end])
        marks = np.full(pixels.shape[:2], cv2.GC_BGD, np.uint8)
        marks[inside] = cv2.GC_PR_FGD
        bits = _divided(pixels, marks, self.params.rounds)[inside]
        return Region(bits, image.canvas.crop(left, top, right - left, bottom - top))


def _window(image: Image, box: list[float], margin: float) -> tuple[int, int, int, int]:
    """Whole pixels xyxy inside the picture, at least one."""
    x1, y1, x2, y2 = box
    along, down = (x2 - x1) * margin, (y2 - y1) * margin
    left = min(max(0, math.floor(x1 - along)), image.width - 1)
    top = min(max(0, math.floor(y1 - down)), image.height - 1)
    right = max(left + 1, min(image.width, math.ceil(x2 + along)))
    bottom = max(top + 1, min(image.height, math.ceil(y2 + down)))
    return left, top, right, bottom


def _divided(pixels: Any, marks: Any, rounds: int) -> Any:
    """1 where the object is, 0 elsewhere: (H, W) uint8."""
    inside = (marks == cv2.GC_PR_FGD).astype(np.uint8)
    if inside.all() or np.count_nonzero(inside) < 8 or (pixels == pixels[0, 0]).all():
        return inside  # grabCut needs samples of both sides
    cv2.setRNGSeed(0)  # its k-means draws from the thread's generator
    cv2.grabCut(pixels, marks, None, np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    found = (marks & 1).astype(np.uint8)  # GC_FGD and GC_PR_FGD are odd
    return found if found.any() else inside
