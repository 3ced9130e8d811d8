"""``draw.title``: a line of text on every picture."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Annotated, Detections, Image, Labels, Scores, TextLines
from visionkit.expr import Template
from visionkit.stage import Color, GivenFile, MapStage, StageContext, StageParams
from visionkit.stage.fields import Environment
from visionkit.stages.draw._style import canvas_copy, text_height
from visionkit.stages.draw._text import Lettering

Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]


class TitleParams(StageParams):
    text: Template = Field(
        Template.parse("{objects.count|0} objects"),
        description='What to write: "{objects.count} people", "{labels.class_name}", "{scores.sharpness:.1f}".',
    )
    corner: Corner = Field("top-left", description="Where it goes.")
    color: Color = Field("black", validate_default=True, description="Background.")
    text_size: int | None = Field(None, ge=6, le=400, description="Height of the letters; None suits the picture.")
    font: GivenFile | None = Field(None, description="A .ttf or .otf file for scripts that the built-in fonts lack.")


class DrawTitle(MapStage[TitleParams]):
    """Writes a line of text in a corner, with values of earlier results in it. What is absent is left out.

    Example:
        - draw.title: {text: "{objects.count} people", corner: top-right}
    """

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering(self.params.font)

    def run(
        self,
        image: Annotated | Image,
        objects: Detections | None,
        labels: Labels | None,
        lines: TextLines | None,
        scores: Scores | None,
    ) -> Annotated:
        values = {"image": image, "objects": objects, "labels": labels, "lines": lines, "scores": scores}
        text = self.params.text.render(Environment(values))
        pixels = canvas_copy(image)
        height = text_height(image, self.params.text_size)
        self._lettering.block(pixels, text.splitlines(), self.params.corner, height, self.params.color[::-1])
        return image.annotated(pixels)
