"""``segment.polygons``: the outlines of objects' masks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Detections, Region
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PolygonsParams(StageParams):
    simplify: float = Field(
        1.0, ge=0, description="How far, in pixels of the mask, the outline may be off to be short."
    )


class Polygons(MapStage[PolygonsParams]):
    """Gives every object the outline of its mask's largest patch as a polygon; objects without masks stay as they are.

    Example:
        - detect: {weights: yolo11n-seg}
        - segment.polygons: {simplify: 2}
    """

    def run(self, objects: Detections) -> Detections:
        if objects.masks is None:
            return objects
        boxes = objects.outlines()
        found = [self._outline(region) for region in objects.masks.items]
        target = objects.canvas
        polygons = [
            np.asarray(box, np.float32) if points is None else region.canvas.transfer(points, target).astype(np.float32)
            for points, region, box in zip(found, objects.masks.items, boxes, strict=True)
        ]
        return replace(objects, polygons=tuple(polygons))

    def _outline(self, region: Region) -> NDArray[np.float64] | None:
        """Points (K, 2) along the middles of the border pixels, None for an empty mask."""
        contours = cv2.findContours(region.bitmap.copy(), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        if not contours:
            return None
        largest = max(contours, key=cv2.contourArea)
        short = cv2.approxPolyDP(largest, self.params.simplify, True)
        return np.asarray(short.reshape(-1, 2) + 0.5, np.float64)
