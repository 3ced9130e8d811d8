"""``draw.mask``: the class of every pixel as a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.data import Annotated, Image, SemanticMask
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, Probability, StageContext, StageParams
from visionkit.stages.draw._style import canvas_copy, palette, text_height
from visionkit.stages.draw._text import Lettering

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUND = ("background", "__background__", "unlabelled", "unlabeled", "void")


class MaskParams(StageParams):
    classes: tuple[str, ...] | None = Field(None, description="Colour only these classes; None: all but background.")
    opacity: Probability = Field(0.5, description="How much of the colours covers the picture.")
    legend: bool = Field(True, description="List the classes that occur, each on its colour.")
    text_size: int | None = Field(None, ge=6, le=400, description="Height of the letters; None suits the picture.")


class DrawMask(MapStage[MaskParams]):
    """Tints every pixel in the colour of its class.

    Example:
        - draw.mask: {classes: [person], opacity: 0.6}
    """

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering()

    def run(self, image: Annotated | Image, mask: SemanticMask) -> Annotated:
        p = self.params
        placed = mask.on(image.canvas)
        pixels = canvas_copy(image)
        shown = np.array([self._shows(name) for name in mask.class_names])
        colors = np.array([palette(i) for i in range(len(mask.class_names))], np.uint8)
        mixed = cv2.addWeighted(pixels, 1 - p.opacity, _looked_up(colors, placed.ids), p.opacity, 0)
        cv2.copyTo(mixed, _looked_up(shown.astype(np.uint8), placed.ids), pixels)
        if p.legend:
            height = text_height(image, p.text_size)
            y = 0
            for i in [i for i in _present(placed.ids) if shown[i]]:
                y += self._lettering.line(height)
                self._lettering.tag(pixels, mask.class_names[i], 0, y, height, palette(i))
        return image.annotated(pixels)

    def _shows(self, name: str) -> bool:
        wanted = self.params.classes
        return name in wanted if wanted is not None else name not in BACKGROUND


def _looked_up(table: NDArray[np.uint8], ids: NDArray[Any]) -> NDArray[np.uint8]:
    """``table[ids]`` for a table (K,) or (K, 3); where ids are bytes, OpenCV is ten times as fast as NumPy."""
    if ids.dtype != np.uint8:
        return np.asarray(table[ids], np.uint8)
    whole = np.zeros((256, *table.shape[1:]), np.uint8)
    whole[: len(table)] = table
    return np.asarray(cv2.LUT(ids, whole) if table.ndim == 1 else cv2.applyColorMap(ids, whole[:, None]), np.uint8)


def _present(ids: NDArray[Any]) -> list[int]:
    """The numbers that occur, in order."""
    if ids.dtype != np.uint8:
        return [int(i) for i in np.unique(ids)]
    counts = cv2.calcHist([ids], [0], None, [256], [0, 256])
    return [int(i) for i in np.flatnonzero(counts)]
