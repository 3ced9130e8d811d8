"""``flip``: mirror the picture."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Homography, Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class FlipParams(StageParams):
    direction: Literal["horizontal", "vertical", "both"] = Field(
        "horizontal", description="horizontal swaps left and right, vertical top and bottom."
    )


class Flip(MapStage[FlipParams]):
    """Mirrors the picture; boxes found on the mirror image are drawn in the right place all the same.

    Example:
        - flip: {direction: horizontal}
    """

    def run(self, image: Image) -> Image:
        along = self.params.direction in ("horizontal", "both")
        down = self.params.direction in ("vertical", "both")
        pixels = cv2.flip(image.native(), -1 if along and down else int(along))
        shift = image.width * along, image.height * down
        step = np.array([[1 - 2 * along, 0, shift[0]], [0, 1 - 2 * down, shift[1]], [0, 0, 1]], np.float64)
        return image.replaced(pixels, image.canvas.derive(image.width, image.height, Homography(step)))
