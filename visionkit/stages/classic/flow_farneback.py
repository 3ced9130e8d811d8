"""``flow.farneback``: how every pixel has moved."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field as Parameter

from visionkit.data import Field, Image
from visionkit.lazy import cv2
from visionkit.stage import OddInt, ScanStage, StageContext, StageParams
from visionkit.stages.classic._flow import Motion


class FarnebackParams(StageParams):
    window: Annotated[OddInt, Parameter(ge=3, le=255)] = Parameter(
        15, description="Side of the window over which movement is taken to be the same, in pixels, odd."
    )
    levels: int = Parameter(3, ge=1, le=12, description="Levels of the pyramid: each doubles the speed that is seen.")
    rounds: int = Parameter(3, ge=1, le=50, description="Rounds of refinement at each level.")


class Farneback(ScanStage[FarnebackParams]):
    """Measures how far each pixel has come since the picture before: dx, dy in pixels of the incoming picture.

    The first picture of a session has nothing before it, so its flow is absent. G. Farnebäck, Two-Frame Motion
    Estimation Based on Polynomial Expansion, SCIA 2003.

    Example:
        - flow.farneback: {window: 15}
    """

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        self._motion = Motion(self._calc)

    def run(self, image: Image) -> Field:
        return self._motion.field(image)

    def _calc(self, now: Any, before: Any) -> Any:
        p = self.params
        return cv2.calcOpticalFlowFarneback(now, before, None, 0.5, p.levels, p.window, p.rounds, 5, 1.2, 0)
