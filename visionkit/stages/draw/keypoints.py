"""``draw.keypoints``: the keypoints of every object, and the bones between them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from visionkit.data import Annotated, Detections, Image
from visionkit.data.geometry import pixel_indices
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, Probability, StageParams
from visionkit.stages.draw._style import ColorBy, canvas_copy, line_width, row_colors

PERSON = (  # COCO's 17 points: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles; left before right
    *((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10)),
    *((5, 11), (6, 12), (11, 12), (11, 13), (13, 15), (12, 14), (14, 16)),
)


class KeypointsParams(StageParams):
    min_score: Probability = Field(0.5, description="Leave out points that score lower.")
    skeleton: Literal["auto", "none"] | tuple[tuple[int, int], ...] = Field(
        "auto", description='Pairs of points to join: [[0, 1], …], "none", or "auto": the bones of COCO\'s 17 points.'
    )
    color: ColorBy = Field("auto", description='"class", "track", "auto" (by track if there are any), or a colour.')
    thickness: int | None = Field(None, ge=1, le=100, description="Width of the bones; None suits the picture.")


class DrawKeypoints(MapStage[KeypointsParams]):
    """Draws the keypoints of every object and joins them.

    Example:
        - draw.keypoints: {min_score: 0.3}
    """

    def run(self, image: Annotated | Image, objects: Detections) -> Annotated:
        pixels = canvas_copy(image)
        here = objects.on(image.canvas)
        width = line_width(image, self.params.thickness)
        points = here.keypoints if here.keypoints is not None else np.zeros((len(here), 0, 3), np.float32)
        bones = self._bones(points.shape[1])
        for row, color in zip(points, row_colors(here, self.params.color), strict=True):
            good = row[:, 2] >= self.params.min_score
            places = pixel_indices(row[:, :2]).tolist()
            for a, b in bones:
                if good[a] and good[b]:
                    cv2.line(pixels, places[a], places[b], color, width, cv2.LINE_AA)
            for place in np.flatnonzero(good):
                cv2.circle(pixels, places[place], width + 2, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
                cv2.circle(pixels, places[place], width + 1, color, cv2.FILLED, cv2.LINE_AA)
        return image.annotated(pixels)

    def _bones(self, count: int) -> tuple[tuple[int, int], ...]:
        pairs = self.params.skeleton
        if isinstance(pairs, str):
            pairs = PERSON if pairs == "auto" and count == 17 else ()
        return tuple((a, b) for a, b in pairs if max(a, b) < count)
