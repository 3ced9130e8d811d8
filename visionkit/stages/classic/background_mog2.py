"""``background.mog2``: what moves before a camera that does not."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2
from visionkit.stage import ScanStage, StageContext
from visionkit.stages.classic._background import Background, BackgroundParams


class Mog2Params(BackgroundParams):
    threshold: float = Field(
        16.0, gt=0, description="Squared distance from the model, in variances, that is foreground."
    )


class Mog2(ScanStage[Mog2Params]):
    """Marks what differs from the background it has learnt: white (255) on black, as a grey picture.

    Every pixel is a mixture of Gaussians: Z. Zivkovic, Improved Adaptive Gaussian Mixture Model for Background
    Subtraction, ICPR 2004. The camera has to stand still; the first pictures are the background. Clean the
    mask with ``filter.morphology`` and find the moving things with ``contours``.

    Example:
        - background.mog2: {history: 300}
    """

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        p = self.params
        self._background = Background(cv2.createBackgroundSubtractorMOG2(p.history, p.threshold), p)

    def run(self, image: Image) -> Image:
        return self._background.mask(image)
