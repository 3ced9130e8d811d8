"""``filter.convolve``: any kernel, written in the file."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from visionkit.data import Homography, Image
from visionkit.errors import DataError
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams

LARGEST = 63


class ConvolveParams(StageParams):
    kernel: tuple[tuple[float, ...], ...] = Field(description="Rows of weights, as many in each row.")
    stride: int = Field(1, ge=1, le=1024, description="Step of the window, in pixels.")
    padding: int | None = Field(
        None,
        ge=0,
        le=1024,
        description="Pixels added on every side. Left out: (k − 1) / 2, which keeps the size.",
    )
    border: Literal["zero", "repeat", "mirror"] = Field("mirror", description="What the padding is filled with.")
    normalize: bool = Field(False, description="Divide the kernel by the sum of its weights.")
    offset: float = Field(0.0, ge=-255, le=255, description="Level added to the result.")
    absolute: bool = Field(False, description="Take the absolute value, before the offset.")

    @field_validator("kernel")
    @classmethod
    def _rectangle(cls, rows: tuple[tuple[float, ...], ...]) -> tuple[tuple[float, ...], ...]:
        widths = {len(row) for row in rows}
        if len(widths) != 1 or not 1 <= len(rows) <= LARGEST or not 1 <= len(rows[0]) <= LARGEST:
            raise ValueError(f"must be 1 to {LARGEST} rows of equal length, 1 to {LARGEST} numbers each")
        return rows

    @model_validator(mode="after")
    def _has_a_sum(self) -> ConvolveParams:
        if self.normalize and abs(sum(map(sum, self.kernel))) < 1e-9:
            raise ValueError("the weights of the kernel sum to 0, so normalize has nothing to divide by")
        return self


class Convolve(MapStage[ConvolveParams]):
    """Slides a kernel of your own over the picture, with the padding and stride of a convolution layer.

    The output has ``n_out = ⌊(n_in + 2p − k) / s⌋ + 1`` pixels along each side, each the sum of weight times level
    under the kernel, rounded and cut to 0..255. As in neural networks the kernel is not flipped (it is a
    cross-correlation). Colour pictures are filtered channel by channel.

    Raises:
        DataError: the padded picture is smaller than the kernel.

    Example:
        - filter.convolve: {kernel: [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]}
        - filter.convolve: {kernel: [[1, 1], [1, 1]], normalize: true, padding: 0, stride: 2}
    """

    def run(self, image: Image) -> Image:
        p = self.params
        rows, columns = len(p.kernel), len(p.kernel[0])
        down = (rows - 1) // 2 if p.padding is None else p.padding
        along = (columns - 1) // 2 if p.padding is None else p.padding
        if image.height + 2 * down < rows or image.width + 2 * along < columns:
            raise DataError(
                f"filter.convolve: a {columns}×{rows} kernel does not fit into {image.width}×{image.height} pixels "
                f"with padding {along}×{down}"
            )
        if p.stride == 1 and (rows, columns) == (2 * down + 1, 2 * along + 1):
            return image.replaced(self._filtered(image.native(), (-1, -1), _BORDERS[p.border]))
        padded = _padded(image.native(), down, along, _BORDERS[p.border])
        # Anchored at its first weight, the window of output (0, 0) starts at the padded picture's first pixel.
        full = self._filtered(padded, (0, 0))[: padded.shape[0] - rows + 1, : padded.shape[1] - columns + 1]
        pixels = np.ascontiguousarray(full[:: p.stride, :: p.stride])
        step = Homography.translation((columns - p.stride) / 2 - along, (rows - p.stride) / 2 - down).matrix
        place = Homography(step @ Homography.scale(p.stride, p.stride).matrix)  # centre of window i → its source point
        return image.replaced(pixels, image.canvas.derive(pixels.shape[1], pixels.shape[0], place))

    def _filtered(self, pixels: Any, anchor: tuple[int, int], border: str = "BORDER_REFLECT_101") -> Any:
        kind = getattr(cv2, border)
        kernel = np.array(self.params.kernel, np.float32)
        if self.params.normalize:
            kernel /= kernel.sum()
        if not self.params.absolute:
            return cv2.filter2D(pixels, -1, kernel, anchor=anchor, delta=self.params.offset, borderType=kind)
        sums = np.abs(cv2.filter2D(pixels, cv2.CV_32F, kernel, anchor=anchor, borderType=kind)) + self.params.offset
        return np.clip(np.rint(sums), 0, 255).astype(np.uint8)


_BORDERS = MappingProxyType({"zero": "BORDER_CONSTANT", "repeat": "BORDER_REPLICATE", "mirror": "BORDER_REFLECT_101"})


def _padded(pixels: Any, down: int, along: int, border: str) -> Any:
    return cv2.copyMakeBorder(pixels, down, down, along, along, getattr(cv2, border), value=0)
