"""Polygons and lines as a file gives them, and as they lie on the source frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from visionkit.data import Canvas, Detections
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Points = NDArray[np.float64]

Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-100_000, le=100_000)]
Point = tuple[Coordinate, Coordinate]
Shape = tuple[Point, ...]


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w{0,59}", name):
        raise ValueError(f"must be a name of letters, digits and _, so that expressions can use it, got {name!r}")
    return name


def _polygon(points: Shape) -> Shape:
    if len(points) < 3:
        raise ValueError(f"must have 3 corners or more, got {len(points)}")
    sides = zip(points, (*points[1:], points[0]), strict=True)
    if abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in sides)) < 1e-9:
        raise ValueError("must enclose an area; its corners lie on a line")
    return points


def _line(points: Shape) -> Shape:
    if len(points) != 2 or points[0] == points[1]:
        raise ValueError(f"must be two different points, got {len(points)}")
    return points


Name = Annotated[str, AfterValidator(_name), WithJsonSchema({"type": "string", "pattern": r"^[A-Za-z_]\w{0,59}$"})]
Zones = dict[Name, Annotated[Shape, AfterValidator(_polygon)]]
Lines = dict[Name, Annotated[Shape, AfterValidator(_line)]]
ZONES_HELP = (
    "Name → corners [[x, y], …] on the source frame, in pixels; where all numbers are from 0 to 1, as shares of its "
    "width and height."
)
LINES_HELP = (
    "Name → two points [[x, y], [x, y]] on the source frame, in pixels; where all numbers are from 0 to 1, as shares "
    "of its width and height."
)
ANCHOR_HELP = "The point of the box that counts; bottom is the middle of its lower edge, where feet and wheels are."
MARGIN_HELP = (
    "Hysteresis: the point must be so far beyond a border before it counts as over it. In pixels, below 1 as a share "
    "of the frame's smaller side."
)

Anchor = Literal["bottom", "center", "top", "left", "right"]
_ANCHORS = {"bottom": (0.5, 1.0), "center": (0.5, 0.5), "top": (0.5, 0.0), "left": (0.0, 0.5), "right": (1.0, 0.5)}


def anchors(objects: Detections, anchor: Anchor) -> Points:
    """The points (N, 2) that stand for the objects, in source-frame pixels.

    Raises:
        DataError: the objects have no place in the source frame.
    """
    boxes = objects.lifted().xyxy.astype(np.float64)
    along, down = _ANCHORS[anchor]
    low, high = boxes[:, :2], boxes[:, 2:]
    return low + (high - low) * np.array([along, down])


def placed(shapes: Mapping[str, Shape], canvas: Canvas) -> dict[str, Points]:
    """The shapes in source-frame pixels, each (K, 2)."""
    size = np.array([canvas.frame_width, canvas.frame_height], np.float64)
    found = {}
    for name, shape in shapes.items():
        points = np.array(shape, np.float64)
        shares = bool(((points >= 0) & (points <= 1)).all())
        found[name] = points * size if shares else points
    return found


def margin_pixels(margin: float, canvas: Canvas) -> float:
    """The hysteresis in source-frame pixels."""
    return margin * min(canvas.frame_width, canvas.frame_height) if margin < 1 else margin


def depths(polygon: Points, points: Points) -> Points:
    """How far points (N, 2) lie inside a polygon (K, 2), in pixels: (N,), negative outside."""
    contour = polygon.astype(np.float32)
    return np.array([cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in points])


def sides(line: Points, points: Points) -> Points:
    """How far points (N, 2) lie to the right of a directed line (2, 2), in pixels: (N,), negative to its left.

    Right and left are those of somebody who walks from the first point to the second, as seen on the screen.
    """
    start, way = line[0], line[1] - line[0]
    offset = points - start
    return np.asarray((way[0] * offset[:, 1] - way[1] * offset[:, 0]) / np.hypot(*way))
