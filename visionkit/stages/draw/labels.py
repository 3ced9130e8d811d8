"""``draw.labels``: what the picture shows, in a corner."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Annotated, Image, Labels
from visionkit.stage import Color, GivenFile, MapStage, StageContext, StageParams
from visionkit.stages.draw._style import canvas_copy, text_height
from visionkit.stages.draw._text import Lettering

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]


class LabelsParams(StageParams):
    corner: Corner = Field("top-left", description="Where the list goes.")
    top_k: int = Field(5, ge=1, description="Show at most so many classes.")
    scores: bool = Field(True, description="Show the scores as well.")
    color: Color = Field("black", validate_default=True, description="Background of the list.")
    text_size: int | None = Field(None, ge=6, le=400, description="Height of the letters; None suits the picture.")
    font: GivenFile | None = Field(None, description="A .ttf or .otf file for scripts that the built-in fonts lack.")


class DrawLabels(MapStage[LabelsParams]):
    """Lists the classes of the picture in a corner, the best first.

    Example:
        - draw.labels: {corner: bottom-left, top_k: 1}
    """

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering(self.params.font)

    def run(self, image: Annotated | Image, labels: Labels) -> Annotated:
        p = self.params
        pairs = list(zip(labels.class_id, labels.scores, strict=True))[: p.top_k]
        texts = [labels.class_names[i] + (f" {score:.2f}" if p.scores else "") for i, score in pairs]
        pixels = canvas_copy(image)
        self._lettering.block(pixels, texts, p.corner, text_height(image, p.text_size), p.color[::-1])
        return image.annotated(pixels)
