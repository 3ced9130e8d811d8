"""Masks: which pixels belong to an object, or to which class every pixel belongs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from visionkit.data.arrays import frozen_array
from visionkit.data.geometry import Canvas, Homography, to_cv2
from visionkit.data.geometry.maps import compose
from visionkit.errors import DataError
from visionkit.frozen import Frozen
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Region(Frozen, eq=False):
    """A bitmap (h, w) uint8, 0 or 1, and the canvas it lies on: a small window of the picture, any resolution."""

    bitmap: NDArray[np.uint8]
    canvas: Canvas

    def __post_init__(self) -> None:
        shape = (self.canvas.height, self.canvas.width)
        object.__setattr__(self, "bitmap", frozen_array("mask.bitmap", self.bitmap, np.uint8, shape))

    def rasterised(self, target: Canvas) -> NDArray[np.bool_]:
        """The mask on every pixel of ``target``: (H, W) bool."""
        if target is self.canvas or (target.is_frame and self.canvas.is_frame):
            return self.bitmap.astype(bool)
        return warp_plane(self.bitmap, self.canvas, target, nearest=True).astype(bool)


class Masks(Frozen, eq=False):
    """A :class:`Region` for each of N objects; rasterised only when somebody asks."""

    items: tuple[Region, ...]

    @staticmethod
    def from_bitmaps(bitmaps: Iterable[NDArray[Any]], canvas: Canvas) -> Masks:
        """Full-picture bitmaps (H, W), each cut to its own window."""
        return Masks(tuple(_tight(np.asarray(bitmap), canvas) for bitmap in bitmaps))

    def __len__(self) -> int:
        return len(self.items)

    def select(self, index: Sequence[int]) -> Masks:
        return Masks(tuple(self.items[i] for i in index))

    def on(self, canvas: Canvas) -> Masks:
        """The same masks: a region carries its own map, so nothing is resampled."""
        return self

    def rasterised(self, canvas: Canvas) -> NDArray[np.bool_]:
        """All masks on every pixel of ``canvas``: (N, H, W) bool."""
        if not self.items:
            return np.zeros((0, canvas.height, canvas.width), bool)
        return np.stack([item.rasterised(canvas) for item in self.items])


class SemanticMask(Frozen, eq=False):
    """A class for every pixel: ``ids`` (H, W) uint8 or int32 on ``canvas``, an index into ``class_names``.

    ``score`` (H, W) float32 in 0..1, or None, is the probability of the class that won.
    """

    canvas: Canvas
    ids: NDArray[Any]
    class_names: tuple[str, ...]
    score: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        shape = (self.canvas.height, self.canvas.width)
        dtype = np.uint8 if np.asarray(self.ids).dtype == np.uint8 else np.int32
        object.__setattr__(self, "ids", frozen_array("mask.ids", self.ids, dtype, shape))
        if self.score is not None:
            object.__setattr__(self, "score", frozen_array("mask.score", self.score, np.float32, shape))
        if self.ids.size and int(self.ids.max()) >= len(self.class_names):
            raise DataError(f"mask.ids: expected 0..{len(self.class_names) - 1}, got {int(self.ids.max())}")

    def on(self, canvas: Canvas) -> SemanticMask:
        """The mask resampled (nearest) to another canvas of the same frame."""
        if canvas is self.canvas or (canvas.is_frame and self.canvas.is_frame):
            return self
        ids = warp_plane(self.ids, self.canvas, canvas, nearest=True)
        score = None if self.score is None else warp_plane(self.score, self.canvas, canvas, nearest=False)
        return replace(self, canvas=canvas, ids=ids, score=score)

    def shares(self) -> dict[str, float]:
        """The share of the picture that each class covers, 0..1; classes that do not occur are left out."""
        counts = np.bincount(self.ids.ravel(), minlength=len(self.class_names))
        return {n: float(c) / self.ids.size for n, c in zip(self.class_names, counts, strict=False) if c}

    def to_dict(self) -> dict[str, Any]:
        return {"shares": {name: round(share, 6) for name, share in self.shares().items()}}


def warp_plane(plane: NDArray[Any], source: Canvas, target: Canvas, *, nearest: bool) -> NDArray[Any]:
    """``plane`` (h, w[, c]) of canvas ``source`` resampled to ``target``: (H, W[, c]), 0 outside."""
    if source.to_frame is None or target.to_frame is None:
        raise DataError("a plane without a place in the frame cannot be moved to another picture")
    flags = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
    if isinstance(source.to_frame, Homography) and isinstance(target.to_frame, Homography):
        inverse = Homography(np.linalg.inv(target.to_frame.matrix))
        whole = compose(source.to_frame, inverse)
        assert isinstance(whole, Homography)
        return np.asarray(cv2.warpPerspective(np.ascontiguousarray(plane), to_cv2(whole), target.size, flags=flags))
    ys, xs = np.mgrid[0 : target.height, 0 : target.width]
    points = np.stack([xs.ravel() + 0.5, ys.ravel() + 0.5], axis=1)
    at = (target.transfer(points, source) - 0.5).astype(np.float32).reshape(target.height, target.width, 2)
    return np.asarray(cv2.remap(np.ascontiguousarray(plane), at[..., 0], at[..., 1], flags))


def _tight(bitmap: NDArray[Any], canvas: Canvas) -> Region:
    bits = (bitmap > 0).astype(np.uint8)
    rows, cols = np.flatnonzero(bits.any(axis=1)), np.flatnonzero(bits.any(axis=0))
    if not len(rows):
        return Region(np.zeros((1, 1), np.uint8), canvas.crop(0, 0, 1, 1))
    y1, y2, x1, x2 = rows[0], rows[-1] + 1, cols[0], cols[-1] + 1
    return Region(bits[y1:y2, x1:x2].copy(), canvas.crop(float(x1), float(y1), int(x2 - x1), int(y2 - y1)))
