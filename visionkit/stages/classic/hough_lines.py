"""``hough.lines``: straight segments among edge pixels."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Image, Lines
from visionkit.lazy import cv2, np
from visionkit.stage import MapStage, StageParams


class HoughLinesParams(StageParams):
    votes: int = Field(50, ge=1, description="Edge pixels that a line needs.")
    min_length: float = Field(30.0, ge=0, description="Drop shorter segments, in pixels.")
    max_gap: float = Field(5.0, ge=0, description="Bridge gaps up to this, in pixels.")
    angle_step: float = Field(1.0, gt=0, le=45, description="Resolution of the angle, in degrees.")
    top_k: int = Field(200, ge=1, le=10_000, description="Keep at most so many segments, the longest.")


class HoughLines(MapStage[HoughLinesParams]):
    """Finds straight segments in a picture of edges (every pixel above 0 is one): put ``edges.canny`` before it.

    Longest first, in pixels of the incoming picture. J. Matas, C. Galambos and J. Kittler, Robust Detection of Lines
    Using the Progressive Probabilistic Hough Transform, 2000.

    Example:
        - hough.lines: {votes: 50, min_length: 40}
    """

    def run(self, image: Image) -> Lines:
        p = self.params
        found = cv2.HoughLinesP(image.gray(), 1, np.deg2rad(p.angle_step), p.votes, None, p.min_length, p.max_gap)
        ends = np.zeros((0, 4)) if found is None else found.reshape(-1, 4) + 0.5
        length = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
        longest = np.argsort(-length, kind="stable")[: p.top_k]
        return Lines(image.canvas, ends[longest].astype(np.float32))
