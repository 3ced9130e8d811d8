"""``draw.text``: lines of text, outlined and written out."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Annotated, Image, TextLines
from visionkit.data.geometry import pixel_indices
from visionkit.lazy import cv2
from visionkit.stage import Color, GivenFile, MapStage, StageContext, StageParams
from visionkit.stages.draw._style import canvas_copy, line_width, text_height
from visionkit.stages.draw._text import Lettering


class TextParams(StageParams):
    color: Color = Field("orange", validate_default=True, description="Of outlines and the background of the text.")
    outline: bool = Field(True, description="Draw the outline of each line.")
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the outlines; None suits the picture.")
    text_size: int | None = Field(None, ge=6, le=400, description="Height of the letters; None suits the picture.")
    font: GivenFile | None = Field(None, description="A .ttf or .otf file for scripts that the built-in fonts lack.")


class DrawText(MapStage[TextParams]):
    """Outlines every line of text and writes above it what it says.

    With OpenCV 5 in Latin, Greek, Cyrillic, Arabic, Hebrew, Chinese, Japanese and Korean script; ``font`` names a file
    for others.

    Example:
        - draw.text: {color: yellow}
    """

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering(self.params.font)

    def run(self, image: Annotated | Image, lines: TextLines) -> Annotated:
        color = self.params.color[::-1]
        pixels = canvas_copy(image)
        polygons = pixel_indices(lines.on(image.canvas).polygons)
        if self.params.outline and len(polygons):
            width = line_width(image, self.params.thickness)
            cv2.polylines(pixels, list(polygons), True, color, width, cv2.LINE_AA)
        height = text_height(image, self.params.text_size)
        for text, points in zip(lines.texts, polygons, strict=True):
            x, y = points.min(axis=0).tolist()
            self._lettering.tag(pixels, text, x, y, height, color)
        return image.annotated(pixels)
