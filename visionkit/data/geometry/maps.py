"""Point maps between two pixel planes: homographies, arbitrary maps, and chains of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Protocol

from visionkit.errors import DataError
from visionkit.frozen import Frozen
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.floating[Any]]
    Matrix = NDArray[np.floating[Any]]


class Map(Protocol):
    """Maps points (N, 2) float64 of one plane to another and back; both directions are total."""

    def forward(self, points: Points) -> Points: ...
    def inverse(self, points: Points) -> Points: ...


class Homography(Frozen, eq=False):
    """A projective map given by ``matrix`` (3, 3), in the convention of :mod:`visionkit.data.geometry`."""

    matrix: Matrix

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape == (2, 3):
            matrix = np.vstack([matrix, [0.0, 0.0, 1.0]])
        if matrix.shape != (3, 3):
            raise DataError(f"a homography is a (3, 3) or (2, 3) matrix, got shape {matrix.shape}")
        numbers = matrix.ravel().tolist()
        if not abs(_determinant(numbers)) >= 1e-12 or not math.isfinite(sum(numbers)):
            raise DataError("a homography must be finite and invertible")
        matrix.flags.writeable = False
        object.__setattr__(self, "matrix", matrix)

    @staticmethod
    @cache
    def identity() -> Homography:
        return Homography(np.eye(3))

    @staticmethod
    def scale(sx: float, sy: float) -> Homography:
        return Homography(np.array([[sx, 0.0, 0.0], [0.0, sy, 0.0], [0.0, 0.0, 1.0]]))

    @staticmethod
    def translation(dx: float, dy: float) -> Homography:
        return Homography(np.array([[1.0, 0.0, dx], [0.0, 1.0, dy], [0.0, 0.0, 1.0]]))

    @property
    def is_axis_aligned(self) -> bool:
        """True for scale and shift alone: boxes stay boxes."""
        m = self.matrix
        return not (m[0, 1] or m[1, 0] or m[2, 0] or m[2, 1])

    @property
    def is_identity(self) -> bool:
        return self is Homography.identity() or bool((self.matrix == np.eye(3)).all())

    def forward(self, points: Points) -> Points:
        return _placed(points) if self is Homography.identity() else _project(self.matrix, points)

    def inverse(self, points: Points) -> Points:
        return _placed(points) if self is Homography.identity() else _project(self._inverse, points)

    @cached_property
    def _inverse(self) -> Matrix:
        return np.asarray(np.linalg.inv(self.matrix))


def _determinant(numbers: Sequence[float]) -> float:
    """Of a (3, 3) matrix, row by row; in plain floats, which for nine numbers is faster than LAPACK."""
    a, b, c, d, e, f, g, h, i = numbers
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def _placed(points: Points) -> Points:
    return np.asarray(points, dtype=np.float64).reshape(-1, 2)


def _project(matrix: Matrix, points: Points) -> Points:
    points = _placed(points)
    out = points @ matrix[:2, :2].T + matrix[:2, 2]
    if matrix[2, 0] or matrix[2, 1] or matrix[2, 2] != 1.0:
        weight = points @ matrix[2, :2] + matrix[2, 2]
        out = out / np.where(np.abs(weight) < 1e-12, 1e-12, weight)[:, None]
    return out


class PointMap(Frozen, eq=False):
    """An arbitrary map given by two functions on points (N, 2): lens distortion, elastic warps."""

    forward_function: Callable[[Points], Points]
    inverse_function: Callable[[Points], Points]

    def forward(self, points: Points) -> Points:
        return self.forward_function(_placed(points))

    def inverse(self, points: Points) -> Points:
        return self.inverse_function(_placed(points))


class Chain(Frozen, eq=False):
    """``first`` and then ``second``. Built by :func:`compose`, which folds homographies into one."""

    first: Map
    second: Map

    def forward(self, points: Points) -> Points:
        return self.second.forward(self.first.forward(points))

    def inverse(self, points: Points) -> Points:
        return self.first.inverse(self.second.inverse(points))


def compose(first: Map, second: Map) -> Map:
    """The map that applies ``first`` and then ``second``."""
    if second is Homography.identity():
        return first
    if isinstance(first, Homography) and isinstance(second, Homography):
        return Homography(second.matrix @ first.matrix)
    if isinstance(second, Chain):
        return compose(compose(first, second.first), second.second)
    return Chain(first, second)


def from_cv2(matrix: Matrix) -> Homography:
    """The map of a matrix that OpenCV uses (pixel centres at whole numbers), (2, 3) or (3, 3)."""
    there, back = _half_a_pixel()
    return Homography(there @ Homography(matrix).matrix @ back)


def to_cv2(map_: Homography) -> Matrix:
    """The (3, 3) matrix to give to ``cv2.warpPerspective`` for ``map_``."""
    there, back = _half_a_pixel()
    return np.asarray(back @ map_.matrix @ there)


@cache
def _half_a_pixel() -> tuple[Matrix, Matrix]:
    """From OpenCV's coordinates to ours, and back."""
    return Homography.translation(0.5, 0.5).matrix, Homography.translation(-0.5, -0.5).matrix
