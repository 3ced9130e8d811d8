"""Where objects are, as small windows of a picture: the part to tint, blur or pixelate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from visionkit.data import Canvas, Detections
from visionkit.data.geometry import clip_boxes, pixel_indices
from visionkit.lazy import cv2, np
from visionkit.stages.draw._style import BGR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

Shape = Literal["auto", "box", "ellipse"]
Window = tuple[slice, slice]


def regions(objects: Detections, canvas: Canvas, shape: Shape = "auto") -> Iterator[tuple[int, Window, Pixels]]:
    """For each object in the picture: its row, its window (rows, columns), and the bitmap (h, w) 0 or 1 in it.

    Args:
        objects: on ``canvas`` already.
        canvas: of the picture.
        shape: "auto" takes masks, outlines or rotated boxes where there are any; "box" and "ellipse" fill the box.
    """
    shaped = shape == "auto" and (objects.polygons is not None or objects.corners is not None)
    outlines = objects.outlines() if shaped else []
    inside = clip_boxes(objects.xyxy, canvas.width, canvas.height)
    corners = np.concatenate([np.floor(inside[:, :2]), np.ceil(inside[:, 2:])], axis=1).astype(int).tolist()
    for row, (box, (x1, y1, x2, y2)) in enumerate(zip(objects.xyxy, corners, strict=True)):
        if x2 <= x1 or y2 <= y1:
            continue
        window = (slice(y1, y2), slice(x1, x2))
        bitmap = np.ones((y2 - y1, x2 - x1), np.uint8)
        if shape == "ellipse":
            bitmap[:] = 0
            centre, axes = (box[:2] + box[2:]) / 2 - (x1 + 0.5, y1 + 0.5), (box[2:] - box[:2]) / 2
            place = tuple(round(float(v)) for v in centre), tuple(round(float(v)) for v in axes)
            cv2.ellipse(bitmap, *place, 0, 0, 360, (1,), cv2.FILLED)
        elif shape == "auto" and objects.masks is not None:
            piece = canvas.crop(x1, y1, x2 - x1, y2 - y1)
            bitmap = objects.masks.items[row].rasterised(piece).astype(np.uint8)
        elif shaped:
            bitmap[:] = 0
            cv2.fillPoly(bitmap, [pixel_indices(outlines[row] - (x1, y1))], (1,))
        yield row, window, bitmap


def tint(area: Pixels, bitmap: Pixels, color: BGR, opacity: float) -> None:
    """Mix ``color`` into the pixels of ``area`` (h, w, 3), in place, where ``bitmap`` (h, w) is set."""
    paint = np.empty_like(area)
    cv2.rectangle(paint, (0, 0), paint.shape[1::-1], color, cv2.FILLED)
    mixed = cv2.addWeighted(area, 1 - opacity, paint, opacity, 0)
    cv2.copyTo(mixed, bitmap, area)


def outline(pixels: Pixels, points: NDArray[np.float64], color: BGR, width: int) -> None:
    """Draw a closed outline through ``points`` (K, 2) of the picture."""
    cv2.polylines(pixels, [pixel_indices(points)], True, color, width, cv2.LINE_AA)
