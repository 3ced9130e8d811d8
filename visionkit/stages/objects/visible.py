"""``visible``: the objects that a picture shows."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Detections, Image, visible_on
from visionkit.stage import MapStage, Probability, StageParams


class VisibleParams(StageParams):
    share: Probability = Field(0.2, description="Keep an object if so much of its box lies on the picture.")


class Visible(MapStage[VisibleParams]):
    """Moves objects to a picture that was cropped, turned or bent; boxes end at its edge, what is gone is dropped.

    Where boxes do not stay boxes, the new box is the one around the moved corners.

    Example:
        - detect
        - augment.crop: {share: [0.3, 0.6]}
        - visible: {share: 0.3}
    """

    def run(self, objects: Detections, image: Image) -> Detections:
        return visible_on(objects, image.canvas, self.params.share)
