"""An example, and an empty one, of everything that flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visionkit.data import (
    Annotated,
    Detections,
    Field,
    Image,
    Key,
    Labels,
    Lines,
    Matte,
    Rows,
    Scores,
    SemanticMask,
    TextLines,
)
from visionkit.lazy import np
from visionkit.stage import SourceInfo


def example_of(type_: type, image: Image) -> Any:
    """A value of a data type that belongs to ``image``: the same one for the same picture.

    Raises:
        TypeError: the type is not one of visionkit's; give the check ``inputs`` of your own.
    """
    if type_ not in _EXAMPLES:
        raise TypeError(f"there is no example of {type_.__name__}: give check_stage inputs of your own")
    return _EXAMPLES[type_](image)


def empty_of(type_: type, image: Image) -> Any:
    """A value with nothing in it: no objects, no text. None for types that are never empty, such as pictures."""
    return _EMPTY[type_](image) if type_ in _EMPTY else None


def _detections(image: Image) -> Detections:
    """Three objects of two classes: one in the middle, one at the edge, one over it."""
    width, height = image.width, image.height
    shares = np.array([[0.2, 0.2, 0.6, 0.7], [0.5, 0.1, 1.0, 0.5], [0.25, 0.2, 0.7, 0.75]])
    boxes = (shares * [width, height, width, height]).astype(np.float32)
    scores = np.array([0.9, 0.8, 0.4], np.float32)
    return Detections(
        image.canvas, boxes, scores, np.array([0, 1, 0], np.int32), ("disc", "square"), track_id=np.array([1, 2, 3])
    )


def _labels(_: Image) -> Labels:
    return Labels(np.array([1, 0], np.int32), np.array([0.7, 0.3], np.float32), ("day", "night"))


def _text(image: Image) -> TextLines:
    width, height = image.width, image.height
    box = np.array([[0, 0], [0.5 * width, 0], [0.5 * width, 0.3 * height], [0, 0.3 * height]], np.float32)
    polygons = np.stack([box, box + np.array([0, 0.5 * height], np.float32)])
    return TextLines(image.canvas, ("HELLO", "42"), np.array([0.9, 0.6], np.float32), polygons)


def _lines(image: Image) -> Lines:
    width, height = image.width, image.height
    return Lines(image.canvas, np.array([[0, 0, width, height], [0, height / 2, width, height / 2]], np.float32))


def _plane(image: Image) -> Any:
    """Rising from 0 at the left to 1 at the right: (H, W) float32."""
    return np.tile(np.linspace(0, 1, image.width, dtype=np.float32), (image.height, 1))


def _mask(image: Image) -> SemanticMask:
    return SemanticMask(image.canvas, (_plane(image) > 0.5).astype(np.uint8), ("ground", "thing"))


_EXAMPLES: dict[type, Callable[[Image], Any]] = {
    Image: lambda image: image,
    Key: lambda image: Key("example.png", 0, image.width),
    SourceInfo: lambda image: SourceInfo("example.png", "image", None, "example.png", image.width, image.height),
    Annotated: lambda image: image.annotated(np.array(image.bgr())),
    Detections: _detections,
    Labels: _labels,
    TextLines: _text,
    Lines: _lines,
    Matte: lambda image: Matte(image.canvas, _plane(image)),
    Field: lambda image: Field(image.canvas, _plane(image)),
    SemanticMask: _mask,
    Scores: lambda image: Scores({"sharpness": 0.5, "count": float("nan")}),
    Rows: lambda image: Rows(({"event": "in", "count": 1},)),
}
_EMPTY: dict[type, Callable[[Image], Any]] = {
    Detections: lambda image: Detections.empty(image.canvas, ("disc", "square")),
    Labels: lambda image: Labels(np.zeros(0, np.int32), np.zeros(0, np.float32), ("day", "night")),
    TextLines: lambda image: TextLines(image.canvas, (), np.zeros(0, np.float32), np.zeros((0, 4, 2), np.float32)),
    Lines: lambda image: Lines(image.canvas, np.zeros((0, 4), np.float32)),
    Scores: lambda image: Scores({}),
    Rows: lambda image: Rows(()),
}
