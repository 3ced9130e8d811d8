"""``select``: the objects that meet a condition."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections
from visionkit.expr import Expression
from visionkit.lazy import np
from visionkit.stage import MapStage, Probability, StageParams
from visionkit.stage.fields import ObjectEnvironment


class SelectParams(StageParams):
    where: Expression | None = Field(None, description="Keep objects for which this is true: height > 80 and age >= 3.")
    classes: tuple[str, ...] | None = Field(None, description="Keep only objects of these classes.")
    min_score: Probability = Field(0.0, description="Drop objects that score lower.")
    top_k: int | None = Field(None, ge=1, description="Keep at most so many objects, those that score best.")


class Select(MapStage[SelectParams]):
    """Keeps the objects that meet every condition given, in their order. Sizes are in source-frame pixels.

    Example:
        - select:
            where: height > 80 and score > 0.5
            top_k: 3
    """

    def run(self, objects: Detections) -> Detections:
        p = self.params
        good = objects.score >= p.min_score
        if p.classes is not None:
            good &= np.isin(objects.class_name.astype(str), p.classes)
        if p.where is not None:
            good &= p.where.mask(ObjectEnvironment(objects), len(objects))
        index = np.flatnonzero(good)
        if p.top_k is not None:
            best = np.argsort(-objects.score[index], kind="stable")[: p.top_k]
            index = index[np.sort(best)]
        return objects.select(index)
