"""``draw.mask``: the class of every pixel as a colour."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Image, SemanticMask
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, Probability, StageContext, StageParams
from visionkit.stages.draw._style import canvas_copy, palette, text_height
from visionkit.stages.draw._text import Lettering

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
        mixed = cv2.addWeighted(pixels, 1 - p.opacity, colors[placed.ids], p.opacity, 0)
        cv2.copyTo(mixed, shown[placed.ids].astype(np.uint8), pixels)
        if p.legend:
            height = text_height(image, p.text_size)
            y = 0
            for i in [i for i in np.unique(placed.ids).tolist() if shown[i]]:
                y += self._lettering.line(height)
                self._lettering.tag(pixels, mask.class_names[i], 0, y, height, palette(i))
        return image.annotated(pixels)

    def _shows(self, name: str) -> bool:
        wanted = self.params.classes
        return name in wanted if wanted is not None else name not in BACKGROUND
