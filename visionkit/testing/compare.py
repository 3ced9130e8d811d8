"""Are two results the same? In words, where they are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from visionkit.data import Canvas, Image
from visionkit.frozen import Frozen
from visionkit.lazy import np

PIXELS = {"xyxy", "corners", "polygons", "ends", "keypoints"}


class Tolerance(Frozen):
    """How far two results of a network may lie apart: places, levels of pictures, and every other number."""

    pixels: float = 0.5
    levels: float = 1.0
    number: float = 1e-3


def difference(a: Any, b: Any, tolerance: Tolerance | None = None, path: str = "result") -> str | None:
    """The first difference of two values, or None. Without a tolerance they must be equal bit for bit."""
    if type(a) is not type(b):
        return f"{path}: {type(a).__name__} and {type(b).__name__}"
    if isinstance(a, Image):
        return _images(a, b, tolerance, path)
    if isinstance(a, Canvas):
        return _canvases(a, b, path)
    if is_dataclass(a):
        pairs = ((f.name, getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
        return _first(difference(x, y, tolerance, f"{path}.{name}") for name, x, y in pairs)
    if isinstance(a, Mapping):
        if list(a) != list(b):
            return f"{path}: keys {list(a)} and {list(b)}"
        return _first(difference(a[key], b[key], tolerance, f"{path}.{key}") for key in a)
    if isinstance(a, (list, tuple)):
        if len(a) != len(b):
            return f"{path}: {len(a)} and {len(b)} items"
        return _first(difference(x, y, tolerance, f"{path}[{i}]") for i, (x, y) in enumerate(zip(a, b, strict=True)))
    return _leaves(a, b, tolerance, path)


def _leaves(a: Any, b: Any, tolerance: Tolerance | None, path: str) -> str | None:
    if isinstance(a, (np.ndarray, float)):
        return _arrays(np.asarray(a), np.asarray(b), tolerance, path)
    return None if a == b else f"{path}: {a!r} and {b!r}"


def _first(found: Any) -> str | None:
    return next((text for text in found if text), None)


def _images(a: Image, b: Image, tolerance: Tolerance | None, path: str) -> str | None:
    if a.is_gray != b.is_gray:
        return f"{path}: a grey and a colour picture"
    limit = tolerance.levels if tolerance else 0.0
    for name in ("gray",) if a.is_gray else ("bgr", "rgb", "gray"):
        text = _within(getattr(a, name)(), getattr(b, name)(), limit, f"{path}.{name}()")
        if text:
            return text
    return _canvases(a.canvas, b.canvas, f"{path}.canvas")


def _canvases(a: Canvas, b: Canvas, path: str) -> str | None:
    """Maps are compared by where they take a few points."""
    known = (a.size, (a.frame_width, a.frame_height), a.to_frame is None)
    other = (b.size, (b.frame_width, b.frame_height), b.to_frame is None)
    if known != other:
        return f"{path}: {a} and {b}"
    if a.to_frame is None:
        return None
    points = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0.3, 0.6]]) * a.size
    return _within(a.lift(points), b.lift(points), 1e-6, f"{path} lifted")


def _arrays(a: Any, b: Any, tolerance: Tolerance | None, path: str) -> str | None:
    if a.dtype != b.dtype:
        return f"{path}: dtype {a.dtype} and {b.dtype}"
    if a.dtype.kind == "O":
        return None if a.tolist() == b.tolist() else f"{path}: {a.tolist()} and {b.tolist()}"
    limit = 0.0
    if tolerance and a.dtype.kind == "f":
        limit = tolerance.pixels if PIXELS & set(path.replace("[", ".").split(".")) else tolerance.number
    return _within(a, b, limit, path)


def _within(a: Any, b: Any, limit: float, path: str) -> str | None:
    if a.shape != b.shape:
        return f"{path}: shape {a.shape} and {b.shape}"
    if a.dtype.kind not in "fiu":
        return None if (a == b).all() else f"{path}: {a} and {b}"
    gap = np.abs(a.astype(np.float64) - b.astype(np.float64))
    gap = np.where(np.isnan(a) & np.isnan(b), 0.0, gap) if a.dtype.kind == "f" else gap
    if not gap.size or gap.max() <= limit:  # a NaN on one side alone is above every limit
        return None
    worst = np.unravel_index(int(np.nan_to_num(gap, nan=np.inf).argmax()), gap.shape)
    return f"{path}: {a[worst]} and {b[worst]} at {[int(i) for i in worst]}, {limit:g} allowed"
