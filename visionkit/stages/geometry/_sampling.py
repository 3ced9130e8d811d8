"""How pixels are looked up when a picture is resized, turned or warped."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from visionkit.backends import cuda_fit
from visionkit.data import Canvas, Homography, Image, PointMap, Reduced, to_cv2
from visionkit.data.geometry import Map, numeric_inverse
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from visionkit.data.geometry.maps import Points

Interpolation = Literal["auto", "nearest", "linear", "cubic", "area", "lanczos"]
Warping = Literal["nearest", "linear", "cubic", "lanczos"]

_FLAGS = {
    "nearest": "INTER_NEAREST_EXACT",  # cv2's INTER_NEAREST is off by up to half a pixel
    "linear": "INTER_LINEAR",
    "cubic": "INTER_CUBIC",
    "area": "INTER_AREA",
    "lanczos": "INTER_LANCZOS4",
}


def resized(image: Image, width: int, height: int, interpolation: Interpolation = "auto") -> Image:
    """The picture scaled to ``width`` × ``height``; "auto" averages areas when shrinking, else is linear."""
    if (width, height) == (image.width, image.height):
        return image.replaced(image.native()) if isinstance(image, Reduced) else image
    if interpolation == "auto":
        interpolation = "area" if width <= image.width and height <= image.height else "linear"
    shrinks = width <= image.width and height <= image.height
    if image.device and (interpolation in ("linear", "cubic") or (interpolation == "area" and shrinks)):
        planes = cuda_fit.resized(image.tensor(image.device, "native")[None], width, height, interpolation)[0]
        return image.placed(planes, image.canvas.resize(width, height))
    flag = getattr(cv2, _FLAGS[interpolation])
    pixels = cv2.resize(image.native(), (width, height), interpolation=flag)
    return image.replaced(pixels, image.canvas.resize(width, height))


def level(image: Image, color: tuple[int, int, int]) -> Any:
    """A colour (red, green, blue) as OpenCV wants it for this picture: blue first, or one grey level."""
    red, green, blue = color
    return round(0.299 * red + 0.587 * green + 0.114 * blue) if image.is_gray else (blue, green, red)


def warped(image: Image, step: Homography, size: tuple[int, int], how: Warping, fill: tuple[int, int, int]) -> Image:
    """The picture of ``size`` (width, height) whose points ``step`` takes to points of ``image``."""
    flag = cv2.INTER_NEAREST if how == "nearest" else getattr(cv2, _FLAGS[how])
    pixels = cv2.warpPerspective(
        image.native(), to_cv2(step), size, flags=flag | cv2.WARP_INVERSE_MAP, borderValue=level(image, fill)
    )
    return image.replaced(pixels, image.canvas.derive(*size, step))


class Resampling:
    """A warp that is no homography, made once for all pictures of a size.

    Args:
        size: width and height of the pictures, before and after.
        forward: maps points (N, 2) of the new picture to points of the old one.
        start: a guess of the opposite for :func:`numeric_inverse`.
    """

    def __init__(
        self, size: tuple[int, int], forward: Callable[[Points], Points], start: Callable[[Points], Points]
    ) -> None:
        self.size = size
        self.step: Map = PointMap(forward, lambda points: numeric_inverse(forward, points, start(points)))

    @cached_property
    def _grid(self) -> Any:
        """For every pixel of the new picture where it is taken from: (H, W, 2) float32 as cv2 counts."""
        width, height = self.size
        ys, xs = np.mgrid[0:height, 0:width]
        points = self.step.forward(np.stack([xs.ravel() + 0.5, ys.ravel() + 0.5], axis=1))
        return (points - 0.5).astype(np.float32).reshape(height, width, 2)

    def apply(self, image: Image, how: Warping, fill: tuple[int, int, int]) -> Image:
        flag = cv2.INTER_NEAREST if how == "nearest" else getattr(cv2, _FLAGS[how])
        pixels = cv2.remap(image.native(), self._grid, None, flag, borderValue=level(image, fill))
        canvas: Canvas = image.canvas.derive(*self.size, self.step)
        return image.replaced(pixels, canvas)
