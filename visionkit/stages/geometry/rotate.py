"""``rotate``: turn the picture by any angle."""

from __future__ import annotations

import math

from pydantic import Field

from visionkit.data import Homography, Image
from visionkit.lazy import cv2, np
from visionkit.stage import Color, MapStage, StageParams
from visionkit.stages.geometry._sampling import Warping, warped


class RotateParams(StageParams):
    angle: float = Field(90.0, ge=-360, le=360, description="Degrees, counter-clockwise.")
    expand: bool = Field(True, description="Grow the picture so that nothing is cut off; false keeps its size.")
    color: Color = Field((0, 0, 0), description="Colour of the corners that come from outside.")
    interpolation: Warping = Field("linear", description="How pixels between pixels are computed.")


class Rotate(MapStage[RotateParams]):
    """Turns the picture around its middle, counter-clockwise. Quarter turns copy pixels and lose nothing.

    Example:
        - rotate: {angle: 90}
        - rotate: {angle: -7.5, expand: false}
    """

    def run(self, image: Image) -> Image:
        p, width, height = self.params, image.width, image.height
        cos, sin = _cos_sin(p.angle)
        if p.expand:
            size = _ceil(abs(width * cos) + abs(height * sin)), _ceil(abs(width * sin) + abs(height * cos))
        else:
            size = width, height
        # A point of the new picture, seen from its middle, turned back, seen from the old middle.
        x, y = size[0] / 2, size[1] / 2
        across, down = width / 2 - cos * x + sin * y, height / 2 - sin * x - cos * y
        step = Homography(np.array([[cos, -sin, across], [sin, cos, down], [0.0, 0.0, 1.0]]))
        quarters = p.angle / 90 % 4
        if quarters.is_integer() and (p.expand or quarters in (0, 2) or width == height):
            return image.replaced(_quarter_turned(image.native(), int(quarters)), image.canvas.derive(*size, step))
        return warped(image, step, size, p.interpolation, p.color)


def _cos_sin(angle: float) -> tuple[float, float]:
    """Exact at multiples of 90 degrees, where ``math.cos`` is not."""
    quarters = angle / 90 % 4
    if quarters.is_integer():
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters)]
    return math.cos(math.radians(angle)), math.sin(math.radians(angle))


def _ceil(side: float) -> int:
    return max(1, math.ceil(side - 1e-6))


def _quarter_turned(pixels: np.ndarray, quarters: int) -> np.ndarray:
    if quarters == 0:
        return pixels
    codes = (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)
    return np.asarray(cv2.rotate(pixels, codes[quarters - 1]))
