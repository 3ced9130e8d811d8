"""``hough.circles``: circles by their edges."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from visionkit.data import Detections, Image
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams
from visionkit.stage.fields import NUMBERS
from visionkit.stages.classic._lengths import on_frame


class HoughCirclesParams(StageParams):
    min_radius: int = Field(0, ge=0, description="Smallest radius in pixels.")
    max_radius: int | None = Field(None, ge=1, description="Largest radius in pixels. Left out: the picture's side.")
    min_distance: float = Field(
        20.0, gt=0, description="Middles of two circles are at least this far apart, in pixels."
    )
    edge: float = Field(100.0, gt=0, description="Gradient that counts as an edge (the higher threshold of Canny).")
    votes: float = Field(30.0, gt=0, description="Edge pixels that a circle needs: fewer finds more, false ones too.")
    top_k: int | None = Field(None, ge=1, description="Keep at most so many circles, those with most votes.")

    @model_validator(mode="after")
    def _in_order(self) -> HoughCirclesParams:
        if self.max_radius is not None and self.max_radius < self.min_radius:
            raise ValueError(f"max_radius must not be below min_radius, got {self.max_radius} and {self.min_radius}")
        return self


class HoughCircles(MapStage[HoughCirclesParams]):
    """Finds circles: coins, wheels, pupils. A light blur before it helps.

    Objects of class ``circle`` have a round polygon and the column ``radius`` in pixels of the source frame. Most votes
    first; the score is 1. H. Yuen et al., Comparative Study of Hough Transform Methods for Circle Finding, 1990.

    Example:
        - hough.circles: {min_radius: 10, max_radius: 60, min_distance: 30}
    """

    extra_columns: ClassVar = {"radius": NUMBERS}

    def run(self, image: Image) -> Detections:
        p = self.params
        found = cv2.HoughCircles(
            image.gray(),
            cv2.HOUGH_GRADIENT,
            1,
            p.min_distance,
            param1=p.edge,
            param2=p.votes,
            minRadius=p.min_radius,
            maxRadius=p.max_radius or 0,
        )
        circles = np.zeros((0, 3)) if found is None else found.reshape(-1, 3)[: p.top_k].astype(np.float64)
        return _objects(image, circles[:, :2] + 0.5, circles[:, 2:])


def _objects(image: Image, middle: Any, radius: Any) -> Detections:
    """Circles given by ``middle`` (N, 2) and ``radius`` (N, 1) in pixels of the picture."""
    turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    outlines = middle[:, None] + radius[:, None] * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    lifted = on_frame(outlines.reshape(-1, 2), image.canvas).reshape(outlines.shape)
    from_middle = np.linalg.norm(lifted - lifted.mean(axis=1, keepdims=True), axis=2)
    return Detections(
        image.canvas,
        np.concatenate([middle - radius, middle + radius], axis=1).astype(np.float32),
        np.ones(len(middle), np.float32),
        np.zeros(len(middle), np.int32),
        ("circle",),
        polygons=tuple(outlines.astype(np.float32)),
        columns={"radius": from_middle.mean(axis=1)},
    )
