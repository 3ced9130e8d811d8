"""``merge``: the objects of several finders as one value."""

from __future__ import annotations

from typing import cast

from visionkit.data import ABSENT, Detections, concatenate
from visionkit.stage import MapStage, StageParams


class MergeParams(StageParams):
    pass


class Merge(MapStage[MergeParams]):
    """Puts the objects of all its inputs into one value: by default of every finder that nothing has taken up yet.

    Classes are united by name. Objects found on different pictures of a frame meet in source-frame pixels. What one
    input has and another lacks is null there; masks, outlines and keypoints need all inputs to have them.
    Doubles stay: ``nms`` comes next.

    Example:
        - merge: {in: [cars, people]}
    """

    def run(self, objects: tuple[Detections, ...]) -> Detections:
        if not objects:  # every input was absent on this frame, so the result is too
            return cast(Detections, ABSENT)
        canvas = objects[0].canvas
        if any(part.canvas is not canvas for part in objects):
            canvas = canvas.as_frame()
        return concatenate(objects, canvas)
