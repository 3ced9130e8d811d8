"""``draw.heatmap``: a plane of values as colours over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field as Parameter
from pydantic import model_validator

from visionkit.data import Annotated, Field, Image, Matte
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, Probability, StageParams

if TYPE_CHECKING:
    from numpy.typing import NDArray

Colors = Literal["turbo", "jet", "viridis", "inferno", "magma", "hot", "bone"]


class HeatmapParams(StageParams):
    colors: Colors = Parameter("turbo", description="OpenCV's colour map.")
    opacity: Probability = Parameter(0.5, description="How much of the colours covers the picture.")
    low: float | None = Parameter(None, description="The value of the first colour; None takes the lowest there is.")
    high: float | None = Parameter(None, description="The value of the last colour; None takes the highest there is.")

    @model_validator(mode="after")
    def _in_order(self) -> HeatmapParams:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"low must be below high, got {self.low:g} and {self.high:g}")
        return self


class DrawHeatmap(MapStage[HeatmapParams]):
    """Lays a plane of values over the picture as colours: attention, depth, the length of the flow, a matte.

    Example:
        - draw.heatmap: {colors: inferno, opacity: 0.6}
    """

    def run(self, image: Annotated | Image, field: Field | Matte) -> Annotated:
        placed = field.on(image.canvas)
        values = placed.alpha if isinstance(placed, Matte) else placed.values
        if values.ndim == 3:
            values = np.linalg.norm(values, axis=2)
        colors = cv2.applyColorMap(self._scaled(values), getattr(cv2, f"COLORMAP_{self.params.colors.upper()}"))
        share = self.params.opacity
        mixed = cv2.addWeighted(image.bgr(), 1 - share, colors, share, 0)
        return image.annotated(np.asarray(mixed, np.uint8))

    def _scaled(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        lowest, highest = float(values.min()), float(values.max())
        if not np.isfinite(highest - lowest):
            values = np.nan_to_num(values)
            lowest, highest = float(values.min()), float(values.max())
        low = lowest if self.params.low is None else self.params.low
        high = highest if self.params.high is None else self.params.high
        scale = 255 / (high - low) if high > low else 255.0
        return np.asarray(cv2.addWeighted(values, scale, values, 0, -low * scale, dtype=cv2.CV_8U))
