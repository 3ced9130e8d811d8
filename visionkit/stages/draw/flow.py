"""``draw.flow``: how pixels moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field as Parameter

from visionkit.data import Annotated, Field, Image
from visionkit.data.geometry import pixel_indices
from visionkit.errors import DataError
from visionkit.lazy import cv2, np
from visionkit.stage import Color, MapStage, Probability, StageParams
from visionkit.stages.draw._style import canvas_copy, line_width

if TYPE_CHECKING:
    from numpy.typing import NDArray


class FlowParams(StageParams):
    style: Literal["arrows", "colors"] = Parameter(
        "arrows", description='"arrows" on a grid, or "colors": the hue says where to, the strength how far.'
    )
    step: int | None = Parameter(None, ge=4, description="Pixels between arrows; None suits the picture.")
    scale: float = Parameter(1.0, gt=0, description="Arrows are this many times as long as the motion.")
    color: Color = Parameter("green", validate_default=True, description="Of the arrows.")
    opacity: Probability = Parameter(0.7, description="How much of the colours covers the picture.")


class DrawFlow(MapStage[FlowParams]):
    """Draws optical flow: (dx, dy) of every pixel, as ``flow.*`` yields it.

    Example:
        - draw.flow: {step: 24, color: yellow}
    """

    def run(self, image: Annotated | Image, flow: Field) -> Annotated:
        if flow.values.ndim != 3 or flow.values.shape[2] != 2:
            raise DataError(f"draw.flow: expected a plane of shape (H, W, 2), got {flow.values.shape} ({flow.kind})")
        pixels = canvas_copy(image)
        if self.params.style == "colors":
            colors = _hues(flow.on(image.canvas).values)
            return image.annotated(
                np.asarray(cv2.addWeighted(pixels, 1 - self.params.opacity, colors, self.params.opacity, 0), np.uint8)
            )
        step = self.params.step or max(8, min(image.width, image.height) // 16)
        width, color = line_width(image), self.params.color[::-1]
        for start, end in zip(*self._arrows(image, flow, step), strict=True):
            cv2.arrowedLine(pixels, start, end, color, width, cv2.LINE_AA, 0, 0.25)
        return image.annotated(pixels)

    def _arrows(self, image: Image, flow: Field, step: int) -> tuple[list[list[int]], list[list[int]]]:
        """Start and end of each arrow that is at least a pixel long."""
        ys, xs = np.mgrid[step // 2 : image.height : step, step // 2 : image.width : step]
        starts = np.stack([xs.ravel(), ys.ravel()], axis=1) + 0.5
        places = image.canvas.transfer(starts, flow.canvas)
        height, width = flow.values.shape[:2]
        cols, rows = np.clip(places.astype(int), 0, [width - 1, height - 1]).T
        ends = flow.canvas.transfer(places + flow.values[rows, cols] * self.params.scale, image.canvas)
        inside = ((places >= 0) & (places < [width, height])).all(axis=1)
        moved = inside & (np.linalg.norm(ends - starts, axis=1) >= 1)
        return pixel_indices(starts[moved]).tolist(), pixel_indices(ends[moved]).tolist()


def _hues(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    length, angle = cv2.cartToPolar(values[..., 0], values[..., 1], angleInDegrees=True)
    strong = max(float(np.percentile(length, 99)), 1e-6)
    strength = np.clip(length / strong * 255, 0, 255)
    hsv = np.stack([angle / 2, np.full_like(angle, 255), strength], axis=2).astype(np.uint8)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)
