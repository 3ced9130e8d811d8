"""``filter.pyramid``: halve or double with Gaussian smoothing."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Canvas, Homography, Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class PyramidParams(StageParams):
    levels: int = Field(
        1,
        ge=-4,
        le=12,
        description="How often the sides are halved; negative: doubled.",
    )


class Pyramid(MapStage[PyramidParams]):
    """Climbs the Gaussian pyramid: smooths and halves the sides at every level, or doubles them.

    P. Burt and E. Adelson, The Laplacian Pyramid as a Compact Image Code, 1983. A side of n pixels becomes
    ⌈n / 2⌉; pixel i of the smaller picture lies on pixel 2i of the larger one. A picture of 1×1 is not halved.

    Example:
        - filter.pyramid: {levels: 1}
    """

    def run(self, image: Image) -> Image:
        for _ in range(abs(self.params.levels)):
            if self.params.levels > 0 and max(image.width, image.height) == 1:
                break
            image = _halved(image) if self.params.levels > 0 else _doubled(image)
        return image


def _halved(image: Image) -> Image:
    return _placed(image, cv2.pyrDown(image.native()), factor=2.0)


def _doubled(image: Image) -> Image:
    return _placed(image, cv2.pyrUp(image.native()), factor=0.5)


def _placed(image: Image, pixels: np.ndarray, factor: float) -> Image:
    shift = 0.5 - 0.5 * factor  # centre i lies on centre factor · i
    step = Homography(np.array([[factor, 0.0, shift], [0.0, factor, shift], [0.0, 0.0, 1.0]]))
    canvas: Canvas = image.canvas.derive(pixels.shape[1], pixels.shape[0], step)
    return image.replaced(pixels, canvas)
