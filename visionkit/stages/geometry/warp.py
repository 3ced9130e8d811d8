"""``warp``: four points to a rectangle."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Homography, Image
from visionkit.errors import DataError
from visionkit.lazy import cv2, np
from visionkit.stage import Color, MapStage, Pixels, StageParams
from visionkit.stages.geometry._sampling import Warping, warped
from visionkit.stages.geometry._window import Length, in_pixels

Point = tuple[Length, Length]


class WarpParams(StageParams):
    points: tuple[Point, Point, Point, Point] = Field(
        ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        description="What becomes top left, top right, bottom right, bottom left: [x, y] in pixels or fractions (0.5).",
    )
    width: Pixels | None = Field(None, description="Width of the result in pixels. Left out: the longer of two edges.")
    height: Pixels | None = Field(
        None, description="Height of the result in pixels. Left out: the longer of two edges."
    )
    color: Color = Field((0, 0, 0), description="Colour of what comes from outside the picture.")
    interpolation: Warping = Field("linear", description="How pixels between pixels are computed.")


class Warp(MapStage[WarpParams]):
    """Straightens a quadrilateral to an upright rectangle: a page, a screen, a court, a road seen from above.

    Points count from the picture's top left corner: [0, 0] is the corner itself, [1.0, 1.0] the opposite one.

    Raises:
        DataError: the points do not go round a convex quadrilateral clockwise.

    Example:
        - warp: {points: [[0.2, 0.1], [0.8, 0.1], [1.0, 0.9], [0.0, 0.9]], width: 400, height: 600}
    """

    _known: tuple[tuple[int, int], Homography, tuple[int, int]] | None = None

    def run(self, image: Image) -> Image:
        size = image.width, image.height
        if self._known is None or self._known[0] != size:
            self._known = size, *self._way(*size)
        _, step, made = self._known
        return warped(image, step, made, self.params.interpolation, self.params.color)

    def _way(self, wide: int, high: int) -> tuple[Homography, tuple[int, int]]:
        """From the new picture to one of this size, and the new one's size."""
        p = self.params
        corners = np.array([[in_pixels(x, wide), in_pixels(y, high)] for x, y in p.points])
        edges = np.roll(corners, -1, axis=0) - corners
        following = np.roll(edges, -1, axis=0)
        if (edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0] <= 0).any():
            raise DataError(f"warp: the points must go round a convex shape clockwise, got {corners.tolist()} pixels")
        top, right, bottom, left = np.linalg.norm(edges, axis=1)
        width = p.width or max(1, round(max(top, bottom)))
        height = p.height or max(1, round(max(left, right)))
        target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
        return Homography(cv2.getPerspectiveTransform(target, corners.astype(np.float32))), (width, height)
