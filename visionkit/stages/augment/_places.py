"""Where the pixels of an augmented picture come from, read from what albumentations drew."""

from __future__ import annotations

from functools import cache
from typing import Any

from visionkit.data import Homography, PointMap, from_cv2
from visionkit.data.geometry import Map, looked_up, numeric_inverse
from visionkit.lazy import np
from visionkit.stages.augment._augment import Drawn


def by_matrix(drawn: Drawn) -> Map:
    """``Affine``: a matrix from the old picture to the new one, in OpenCV's convention."""
    return from_cv2(np.linalg.inv(drawn["matrix"]))


def by_perspective(drawn: Drawn) -> Map:
    """``Perspective`` with ``keep_size``: a matrix to a picture of another size, which is then scaled back."""
    height, width = drawn["shape"][:2]
    scale = np.diag([width / drawn["max_width"], height / drawn["max_height"], 1.0])
    return from_cv2(np.linalg.inv(scale @ drawn["matrix"]))


def by_crop(drawn: Drawn) -> Map:
    """``RandomResizedCrop``: a window, scaled to the new size."""
    x1, y1, x2, y2 = drawn["crop_coords"]
    sx, sy = (x2 - x1) / drawn["size"][0], (y2 - y1) / drawn["size"][1]
    return Homography(np.array([[sx, 0, x1], [0, sy, y1], [0, 0, 1]]))


def by_quarters(drawn: Drawn) -> Map:
    """``RandomRotate90``: quarter turns against the clock."""
    height, width = drawn["shape"][:2]
    turns = {
        0: [[1, 0, 0], [0, 1, 0]],
        1: [[0, -1, width], [1, 0, 0]],
        2: [[-1, 0, width], [0, -1, height]],
        3: [[0, 1, 0], [-1, 0, height]],
    }
    return Homography(np.array([*turns[drawn["factor"]], [0, 0, 1]], np.float64))


def by_table(drawn: Drawn) -> Map:
    """Distortions: for every pixel of the new picture the place it is taken from, as OpenCV counts."""

    @cache  # worked out when somebody asks where a point is, which costs as much as the distortion itself
    def moved() -> Any:
        height, width = drawn["map_x"].shape
        ys, xs = np.mgrid[0:height, 0:width]
        return np.stack([drawn["map_x"] - xs, drawn["map_y"] - ys], axis=2).astype(np.float64)

    def forward(points: Any) -> Any:
        return points + looked_up(moved(), points)

    return PointMap(forward, lambda points: numeric_inverse(forward, points, points - looked_up(moved(), points)))


def left_right(drawn: Drawn) -> Map:
    """``HorizontalFlip``."""
    return Homography(np.array([[-1.0, 0, drawn["shape"][1]], [0, 1, 0], [0, 0, 1]]))


def top_bottom(drawn: Drawn) -> Map:
    """``VerticalFlip``."""
    return Homography(np.array([[1.0, 0, 0], [0, -1, drawn["shape"][0]], [0, 0, 1]]))
