"""The ways of tracks over the last frames."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from visionkit.data import Canvas, Detections
from visionkit.data.geometry import pixel_indices
from visionkit.lazy import cv2, np
from visionkit.stages.draw._style import BGR, ColorBy, palette

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Trails:
    """Remembers where the centre of each track was, in source-frame pixels, over ``length`` frames."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._frame = 0
        self._points: dict[int, deque[tuple[int, float, float]]] = {}
        self._classes: dict[int, int] = {}

    def add(self, objects: Detections) -> None:
        """One frame later: add the tracks of ``objects`` and forget what is too old."""
        self._frame += 1
        if objects.track_id is not None:
            boxes = objects.lifted().xyxy.astype(np.float64)
            centres = (boxes[:, :2] + boxes[:, 2:]) / 2
            rows = zip(objects.track_id.tolist(), objects.class_id.tolist(), centres.tolist(), strict=True)
            for track, class_id, (x, y) in rows:
                self._points.setdefault(track, deque()).append((self._frame, x, y))
                self._classes[track] = class_id
        for track in list(self._points):
            points = self._points[track]
            while points and points[0][0] <= self._frame - self._length:
                points.popleft()
            if not points:
                del self._points[track], self._classes[track]

    def draw(self, pixels: NDArray[np.uint8], canvas: Canvas, color: ColorBy, width: int) -> None:
        """Draw every way on a picture that lies on ``canvas``, the newer part thicker."""
        for track, points in self._points.items():
            if len(points) < 2:
                continue
            path = pixel_indices(canvas.lower(np.array([(x, y) for _, x, y in points])))
            middle = len(path) // 2
            shade = self._color(track, color)
            cv2.polylines(pixels, [path[: middle + 1]], False, shade, max(1, width // 2), cv2.LINE_AA)
            cv2.polylines(pixels, [path[middle:]], False, shade, width, cv2.LINE_AA)

    def _color(self, track: int, color: ColorBy) -> BGR:
        if isinstance(color, tuple):
            return color[::-1]
        return palette(self._classes[track] if color == "class" else track)
