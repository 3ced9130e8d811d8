"""``segment.watershed``: tell touching things apart."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from visionkit.data import Detections, Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, Probability, StageParams
from visionkit.stages.classic._regions import objects, region


class WatershedParams(StageParams):
    level: int | None = Field(None, ge=0, le=254, description="Things are brighter than this. Left out: Otsu's level.")
    dark: bool = Field(False, description="Things are darker than the ground.")
    core: Probability = Field(0.5, description="A core is as far from the edge as this share of the farthest point.")
    min_area: int = Field(25, ge=1, description="Drop smaller things, in pixels.")
    name: str = Field("region", min_length=1, description="The class of what is found.")


class Watershed(MapStage[WatershedParams]):
    """Divides things that touch, such as cells and coins: floods the picture from the core of each.

    Objects have a mask; the score is 1. Things are what differs from the ground by its grey level; a core is where a
    thing is thick, so lower ``core`` where thin things are lost and raise it where two stay one. F. Meyer, Color
    Image Segmentation, 1992.

    Example:
        - segment.watershed: {core: 0.5, min_area: 100}
    """

    def run(self, image: Image) -> Detections:
        p = self.params
        things = _things(image.gray(), p.level, p.dark)
        depth = cv2.distanceTransform(things, cv2.DIST_L2, 5)
        cores = (depth > p.core * depth.max()).astype(np.uint8) & (things > 0)
        count, markers = cv2.connectedComponents(cores)
        ground = count  # a label of its own; 0 is what the flood has to decide
        markers[things == 0] = ground
        flooded = cv2.watershed(image.bgr(), markers)
        parts = [cv2.inRange(flooded, label, label) for label in range(1, count)]
        large = [part for part in parts if cv2.countNonZero(part) >= p.min_area]
        return objects(image, [region(image, 0, 0, part) for part in large], p.name)


def _things(gray: Any, level: int | None, dark: bool) -> Any:
    """255 where a thing is: (H, W) uint8."""
    kind = cv2.THRESH_BINARY_INV if dark else cv2.THRESH_BINARY
    if level is None:
        kind |= cv2.THRESH_OTSU
    return cv2.threshold(gray, level or 0, 255, kind)[1]
