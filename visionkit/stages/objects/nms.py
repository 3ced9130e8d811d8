"""``nms``: of objects that overlap, the best."""

from __future__ import annotations

from pydantic import Field

from visionkit.backends import nms, soft_nms
from visionkit.data import Detections
from visionkit.stage import MapStage, Probability, StageParams


class NmsParams(StageParams):
    iou: Probability = Field(0.5, description="Of two boxes of a class that overlap more, the better stays.")
    agnostic: bool = Field(False, description="Boxes of different classes suppress each other as well.")
    soft: bool = Field(False, description="Lower the scores of overlapped boxes instead of dropping them (Soft-NMS).")
    min_score: Probability = Field(0.0, description="Drop objects that score lower.")
    top_k: int | None = Field(None, ge=1, description="Keep at most so many objects, the best.")


class Nms(MapStage[NmsParams]):
    """Non-maximum suppression: of objects that overlap, the best stays. Rotated boxes count by their hull.

    Example:
        - nms: {iou: 0.6, agnostic: true}
    """

    def run(self, objects: Detections) -> Detections:
        p = self.params
        good = objects.select(objects.score >= p.min_score) if p.min_score else objects
        classes = None if p.agnostic else good.class_id
        if p.soft:
            kept, scores = soft_nms(good.xyxy, good.score, classes, p.min_score, top_k=p.top_k)
            return good.select(kept).with_columns({"score": scores})
        return good.select(nms(good.xyxy, good.score, classes, p.iou, p.top_k))
