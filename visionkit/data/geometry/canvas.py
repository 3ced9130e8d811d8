"""The plane a picture or a result lives on, and its place in the source frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from visionkit.data.geometry.boxes import box_corners, hull
from visionkit.data.geometry.maps import Homography, Map, compose
from visionkit.errors import DataError
from visionkit.frozen import Frozen
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.data.geometry.maps import Points


class Canvas(Frozen, eq=False):
    """A plane of ``width`` × ``height`` pixels and the map from it to its source frame.

    ``to_frame`` is None where no such map exists (a mosaic, a generated picture): results found
    there cannot be drawn on the frame, and :meth:`lift` raises.
    """

    width: int
    height: int
    frame_width: int
    frame_height: int
    to_frame: Map | None

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise DataError(f"a canvas is at least 1×1 pixels, got {self.width}×{self.height}")

    @staticmethod
    def source(width: int, height: int) -> Canvas:
        """The canvas of a source frame itself."""
        return Canvas(width, height, width, height, Homography.identity())

    @staticmethod
    def detached(width: int, height: int) -> Canvas:
        """A canvas with no place in any frame."""
        return Canvas(width, height, width, height, None)

    @property
    def size(self) -> tuple[int, int]:
        """Width, height."""
        return self.width, self.height

    @property
    def is_frame(self) -> bool:
        """True for the whole source frame, pixel by pixel."""
        same = self.size == (self.frame_width, self.frame_height)
        return same and isinstance(self.to_frame, Homography) and self.to_frame.is_identity

    def derive(self, width: int, height: int, step: Map) -> Canvas:
        """A canvas made from this one; ``step`` maps points of the new one to points of this one."""
        whole = None if self.to_frame is None else compose(step, self.to_frame)
        return Canvas(width, height, self.frame_width, self.frame_height, whole)

    def crop(self, x: float, y: float, width: int, height: int) -> Canvas:
        """The canvas of the window whose top left corner is (x, y) on this one."""
        return self.derive(width, height, Homography.translation(x, y))

    def resize(self, width: int, height: int) -> Canvas:
        """The canvas of this picture scaled to ``width`` × ``height``."""
        return self.derive(width, height, Homography.scale(self.width / width, self.height / height))

    def as_frame(self) -> Canvas:
        """The canvas of the source frame this one belongs to."""
        return Canvas.source(self.frame_width, self.frame_height)

    def _map(self) -> Map:
        if self.to_frame is None:
            raise DataError("this picture has no place in its source frame, so nothing on it can be lifted there")
        return self.to_frame

    def lift(self, points: Points) -> Points:
        """Points (N, 2) of this canvas → source-frame pixels."""
        return self._map().forward(points)

    def lower(self, points: Points) -> Points:
        """Source-frame points (N, 2) → pixels of this canvas."""
        return self._map().inverse(points)

    def transfer(self, points: Points, target: Canvas) -> Points:
        """Points (N, 2) of this canvas → pixels of ``target``, a canvas of the same frame."""
        if target is self:
            return np.asarray(points, dtype=np.float64).reshape(-1, 2)
        return target.lower(self.lift(points))

    def keeps_boxes(self, target: Canvas) -> bool:
        """True where a box of this canvas is a box on ``target``: scale and shift alone."""
        return target is self or all(
            isinstance(c.to_frame, Homography) and c.to_frame.is_axis_aligned for c in (self, target)
        )

    def transfer_boxes(self, xyxy: NDArray[np.float32], target: Canvas) -> NDArray[np.float32]:
        """Boxes (N, 4) xyxy of this canvas → the boxes around them on ``target``."""
        if target is self or (self.is_frame and target.is_frame):
            return xyxy
        corners = self.transfer(box_corners(xyxy).reshape(-1, 2), target).reshape(-1, 4, 2)
        return hull(corners)
