"""``draw.boxes``: a frame and a label for every object, and where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.data.geometry import pixel_indices
from visionkit.expr import Template
from visionkit.lazy import cv2, np
from visionkit.stage import GivenFile, ScanStage, StageContext, StageParams
from visionkit.stage.fields import ObjectEnvironment
from visionkit.stages.draw._style import BGR, ColorBy, canvas_copy, line_width, row_colors, text_height
from visionkit.stages.draw._text import Lettering
from visionkit.stages.draw._trails import Trails

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BoxesParams(StageParams):
    label: Template = Field(Template.parse("{class_name} {score:.2f}"), description='Text of each box; "" for none.')
    color: ColorBy = Field("auto", description='"class", "track", "auto" (by track if there are any), or a colour.')
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the lines; None suits the picture.")
    text_size: int | None = Field(None, ge=6, le=400, description="Height of the letters; None suits the picture.")
    trail: int = Field(0, ge=0, le=10_000, description="Draw the way of each track over so many frames.")
    font: GivenFile | None = Field(None, description="A .ttf or .otf file for scripts that the built-in fonts lack.")


class DrawBoxes(ScanStage[BoxesParams]):
    """Draws the box of every object, rotated ones too, with a label that reads at any size of picture.

    It looks at frames in order because trails remember where tracks were.

    Example:
        - draw.boxes: {label: "{class_name} {score:.2f}", trail: 30}
    """

    def open(self, context: StageContext) -> None:
        self._lettering = Lettering(self.params.font)
        self._trails = Trails(self.params.trail)

    def reset(self) -> None:
        self._trails = Trails(self.params.trail)

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        width = line_width(image, self.params.thickness)
        here = objects.on(image.canvas)
        colors = row_colors(here, self.params.color)
        if self.params.trail:
            self._trails.add(objects)
            self._trails.draw(pixels, image.canvas, self.params.color, width)
        tops = [_frame(pixels, here, row, color, width) for row, color in enumerate(colors)]
        if self.params.label.text:
            labels = self.params.label.render_rows(ObjectEnvironment(objects), len(objects))
            height = text_height(image, self.params.text_size)
            for text, (x, y), color in zip(labels, tops, colors, strict=True):
                self._lettering.tag(pixels, text, x, y, height, color)
        return image.annotated(pixels)


def _frame(pixels: NDArray[np.uint8], objects: Detections, row: int, color: BGR, width: int) -> tuple[int, int]:
    """Draws one box and returns the point that its label stands on."""
    if objects.corners is not None:
        corners = pixel_indices(objects.corners[row])
        cv2.polylines(pixels, [corners], True, color, width, cv2.LINE_AA)
        x, y = corners[corners[:, 1].argmin()]
        return int(x), int(y) - width // 2
    (x1, y1), (x2, y2) = pixel_indices(objects.xyxy[row].reshape(2, 2) + 0.5).tolist()  # edges, not points
    cv2.rectangle(pixels, (x1, y1), (max(x1, x2 - 1), max(y1, y2 - 1)), color, width)
    return x1 - width // 2, y1 - width // 2
