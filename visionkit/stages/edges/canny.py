"""``edges.canny``: thin, connected edges."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from visionkit.backends import cuda_filters
from visionkit.data import Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class CannyParams(StageParams):
    low: float | None = Field(
        None, ge=0, description="Gradient from which an edge goes on. Left out: chosen by `auto`."
    )
    high: float | None = Field(
        None, ge=0, description="Gradient from which an edge starts. Left out: chosen by `auto`."
    )
    auto: Literal["median", "otsu"] = Field(
        "median", description="How thresholds are chosen: median of levels, or Otsu."
    )
    aperture: Literal[3, 5, 7] = Field(3, description="Side of the Sobel kernel; thresholds grow with it.")
    l2: bool = Field(False, description="Use the true length of the gradient instead of |∂x| + |∂y|.")

    @model_validator(mode="after")
    def _in_order(self) -> CannyParams:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high go together: give both, or neither and let `auto` choose")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not be above high, got {self.low:g} and {self.high:g}")
        return self

    @property
    def chosen(self) -> tuple[float, float] | None:
        """Both thresholds, None if the picture decides."""
        return None if self.low is None or self.high is None else (self.low, self.high)


class Canny(MapStage[CannyParams]):
    """Finds thin, connected edges: white lines one pixel wide on black (grey, 0 or 255).

    J. Canny, A Computational Approach to Edge Detection, 1986. Without thresholds, ``median`` takes 0.67 and 1.33
    times the median grey level, but at least 10 and 20 (a night sky's median is 0), ``otsu`` half of Otsu's level and
    that level.

    Example:
        - edges.canny
        - edges.canny: {low: 50, high: 150}
    """

    on_device = True

    def run(self, image: Image) -> Image:
        p = self.params
        if image.device and p.aperture < 7 and p.auto == "median":
            planes = image.tensor(image.device, "gray")
            low, high = p.chosen or _of_median(_median(cuda_filters.histogram(planes)))
            return image.placed(cuda_filters.canny(planes, low, high, p.aperture, p.l2))
        gray = image.gray()
        low, high = p.chosen or _thresholds(gray, p.auto)
        return image.replaced(cv2.Canny(gray, low, high, apertureSize=p.aperture, L2gradient=p.l2))


def _thresholds(gray: Any, auto: str) -> tuple[float, float]:
    if auto == "otsu":
        level = cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0]
        return 0.5 * level, level
    return _of_median(float(np.median(gray)))


def _median(histogram: Any) -> float:
    """Of the levels (256,) that were counted: the middle one, or the mean of the middle two."""
    counted = np.cumsum(histogram)
    middle = np.array([(counted[-1] - 1) // 2, counted[-1] // 2])
    return float(np.searchsorted(counted, middle, side="right").mean())


def _of_median(middle: float) -> tuple[float, float]:
    return max(10.0, 0.67 * middle), max(20.0, min(255.0, 1.33 * middle))
