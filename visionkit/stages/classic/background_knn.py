"""``background.knn``: what moves, before a restless background."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import ScanStage, StageContext
from visionkit.stages.classic._background import Background, BackgroundParams


class KnnParams(BackgroundParams):
    threshold: float = Field(400.0, gt=0, description="Squared distance in levels from which a sample is another one.")


class Knn(ScanStage[KnnParams]):
    """Marks what differs from the background it has learnt: white (255) on black, as a grey picture.

    Every pixel keeps samples of its past: Z. Zivkovic and F. van der Heijden, Efficient Adaptive Density Estimation per
    Image Pixel for the Task of Background Subtraction, 2006. Better than ``background.mog2`` where little moves.

    Example:
        - background.knn: {history: 300}
    """

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        p = self.params
        self._background = Background(cv2.createBackgroundSubtractorKNN(p.history, p.threshold), p)

    def run(self, image: Image) -> Image:
        return self._background.mask(image)
