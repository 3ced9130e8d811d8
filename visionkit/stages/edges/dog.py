"""``edges.dog``: difference of Gaussians."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class DogParams(StageParams):
    sigma: float = Field(1.0, gt=0, le=32, description="Standard deviation of the narrower Gaussian, in pixels.")
    ratio: float = Field(
        1.6, gt=1, le=8, description="How many times wider the other one is; 1.6 is nearest to a Laplacian."
    )
    gain: float = Field(4.0, gt=0, le=255, description="Factor on the result.")


class Dog(MapStage[DogParams]):
    """Shows structures of one scale: ``gain · |G(sigma) − G(ratio · sigma)|``, cut to 0..255.

    D. Marr and E. Hildreth, Theory of Edge Detection, 1980.

    Example:
        - edges.dog: {sigma: 1.0}
    """

    def run(self, image: Image) -> Image:
        gray = image.gray().astype(np.float32)
        narrow = cv2.GaussianBlur(gray, (0, 0), self.params.sigma)
        wide = cv2.GaussianBlur(gray, (0, 0), self.params.sigma * self.params.ratio)
        return image.replaced(cv2.convertScaleAbs(narrow - wide, alpha=self.params.gain))
