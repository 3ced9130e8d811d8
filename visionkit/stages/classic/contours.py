"""``contours``: outlines of light shapes on a dark ground."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from visionkit.data import Canvas, Detections, Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams
from visionkit.stage.fields import NUMBERS
from visionkit.stages.classic._lengths import on_frame


class ContoursParams(StageParams):
    level: int = Field(127, ge=0, le=254, description="Shapes are where the grey level is above this.")
    holes: bool = Field(False, description="Outline holes, and shapes inside them, as well.")
    min_area: float = Field(16.0, ge=0, description="Drop smaller shapes, in square pixels of the frame.")
    max_area: float | None = Field(None, gt=0, description="Drop larger shapes, in square pixels of the frame.")
    simplify: float = Field(
        0.0, ge=0, le=0.5, description="Straighten outlines by this share of their perimeter; 0: no."
    )
    top_k: int | None = Field(None, ge=1, description="Keep at most so many shapes, the largest.")
    name: str = Field("contour", min_length=1, description="The class of what is found.")


class Contours(MapStage[ContoursParams]):
    """Finds the outlines of light shapes on a dark ground: after a threshold, edges, or background subtraction.

    Objects have a polygon through the middles of their border pixels, and the columns ``area`` and ``perimeter`` of
    that polygon in pixels of the source frame. Largest first; the score is 1. S. Suzuki and K. Abe, Topological
    Structural Analysis of Digitized Binary Images by Border Following, 1985.

    Example:
        - contours: {min_area: 100, top_k: 20}
    """

    extra_columns: ClassVar = {"area": NUMBERS, "perimeter": NUMBERS}

    def run(self, image: Image) -> Detections:
        p = self.params
        mask = cv2.threshold(image.gray(), p.level, 255, cv2.THRESH_BINARY)[1]
        mode = cv2.RETR_LIST if p.holes else cv2.RETR_EXTERNAL
        found = cv2.findContours(mask, mode, cv2.CHAIN_APPROX_SIMPLE)[0]
        outlines = [_simplified(outline, p.simplify).reshape(-1, 2) for outline in found]
        framed = _framed(outlines, image.canvas)
        area = np.array([cv2.contourArea(outline) for outline in framed], np.float64)
        order = np.argsort(-area, kind="stable")
        kept = order[(area[order] >= p.min_area) & (area[order] <= (p.max_area or np.inf))][: p.top_k].tolist()
        return Detections(
            image.canvas,
            np.array([_box(found[i]) for i in kept], np.float32).reshape(-1, 4),
            np.ones(len(kept), np.float32),
            np.zeros(len(kept), np.int32),
            (p.name,),
            polygons=tuple(outlines[i].astype(np.float32) + 0.5 for i in kept),
            columns={
                "area": area[kept],
                "perimeter": np.array([cv2.arcLength(framed[i], True) for i in kept], np.float64),
            },
        )


def _framed(outlines: list[Any], canvas: Canvas) -> list[Any]:
    """Outlines (K, 2) in whole pixels as outlines on the frame, up to a shift that no length or area minds."""
    if canvas.is_frame or not outlines:
        return outlines
    ends = np.cumsum([len(outline) for outline in outlines])[:-1]
    points = np.concatenate(outlines) + 0.5  # all at once: there may be thousands of specks
    return np.split(on_frame(points, canvas).astype(np.float32), ends)


def _simplified(outline: Any, share: float) -> Any:
    return cv2.approxPolyDP(outline, share * cv2.arcLength(outline, True), True) if share else outline


def _box(outline: Any) -> tuple[int, int, int, int]:
    """The pixels that the outline covers, xyxy."""
    x, y, width, height = cv2.boundingRect(outline)
    return x, y, x + width, y + height
