"""``flow.dis``: how every pixel has moved, fast."""

from __future__ import annotations

from typing import Literal

from pydantic import Field as Parameter

from visionkit.data import Field, Image
from visionkit.lazy import cv2
from visionkit.stage import ScanStage, StageContext, StageParams
from visionkit.stages.classic._flow import Motion


class DisParams(StageParams):
    preset: Literal["ultrafast", "fast", "medium"] = Parameter("fast", description="Speed against accuracy.")


class Dis(ScanStage[DisParams]):
    """Measures how far each pixel has come since the picture before: dx, dy in pixels of the incoming picture.

    Several times as fast as ``flow.farneback``. The first picture of a session has nothing before it, so its flow is
    absent. T. Kroeger et al., Fast Optical Flow Using Dense Inverse Search, ECCV 2016.

    Example:
        - flow.dis: {preset: fast}
    """

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        preset = getattr(cv2, f"DISOPTICAL_FLOW_PRESET_{self.params.preset.upper()}")
        search = cv2.DISOpticalFlow.create(preset)
        self._motion = Motion(lambda now, before: search.calc(now, before, None))

    def run(self, image: Image) -> Field:
        return self._motion.field(image)
