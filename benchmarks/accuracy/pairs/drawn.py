"""Drawing, by OpenCV or by supervision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy.pairs.finders import DOOR
from benchmarks.accuracy.pairs.pair import Call, Pair, Pixels, plain
from benchmarks.accuracy.scene import Scene
from visionkit.lazy import load

INK, PAPER = (255, 255, 255), (0, 0, 0)


def _lettered(pixels: Pixels, lines: list[tuple[str, int, int]]) -> Pixels:
    """Lines of text on filled boxes."""
    for text, x, y in lines:
        (wide, high), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
        cv2.rectangle(pixels, (x, y), (x + wide, y - high - below), PAPER, cv2.FILLED)
        cv2.putText(pixels, text, (x, y - below), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)
    return pixels


def _annotated(*names: str, source: str = "objects", **options: Any) -> Callable[[Scene], Call]:
    """Supervision's annotators, one after the other, on a copy."""

    def make(scene: Scene) -> Call:
        objects = getattr(scene, source).to_supervision()
        annotators = [getattr(load("supervision"), name)(**options) for name in names]

        def run(pixels: Pixels) -> Any:
            drawn = pixels.copy()
            for annotator in annotators:
                drawn = annotator.annotate(drawn, objects)
            return drawn

        return run

    return make


def _boxes(scene: Scene) -> Call:
    supervision, objects = load("supervision"), scene.objects.to_supervision()
    boxes, labels = supervision.BoxAnnotator(), supervision.LabelAnnotator()
    names = [f"object {score:.2f}" for score in objects.confidence]
    return lambda pixels: labels.annotate(boxes.annotate(pixels.copy(), objects), objects, labels=names)


def _windows(scene: Scene, change: Callable[[Pixels], Pixels]) -> Call:
    """``change`` of the pixels in each box."""
    boxes = scene.objects.xyxy.astype(int).tolist()

    def run(pixels: Pixels) -> Pixels:
        drawn = pixels.copy()
        for x1, y1, x2, y2 in boxes:
            drawn[y1:y2, x1:x2] = change(drawn[y1:y2, x1:x2])
        return drawn

    return run


def _blurred(area: Pixels) -> Pixels:
    for _ in range(3):
        area = np.asarray(cv2.blur(area, (25, 25)))
    return area


def _blocks(area: Pixels) -> Pixels:
    small = cv2.resize(area, (8, 12), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, area.shape[1::-1], interpolation=cv2.INTER_NEAREST))


def _arrows(scene: Scene) -> Call:
    ys, xs = (axis.ravel() for axis in np.mgrid[15:480:30, 15:640:30])
    starts = np.stack([xs, ys], axis=1)

    def run(pixels: Pixels) -> Pixels:
        drawn, ends = pixels.copy(), np.rint(starts + scene.flow.values[ys, xs]).astype(int)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            cv2.arrowedLine(drawn, start, end, (0, 255, 0), 2, cv2.LINE_AA, 0, 0.25)
        return drawn

    return run


def _heat(scene: Scene) -> Call:
    values = scene.field.values

    def run(pixels: Pixels) -> Pixels:
        levels = cv2.normalize(values, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
        return np.asarray(cv2.addWeighted(pixels, 0.5, cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), 0.5, 0))

    return run


def _skeletons(scene: Scene) -> Call:
    library, points = load("supervision"), scene.people.keypoints
    assert points is not None
    people = library.KeyPoints(points[..., :2])
    edges, dots = library.EdgeAnnotator(thickness=2), library.VertexAnnotator(radius=3)
    return lambda pixels: dots.annotate(edges.annotate(pixels.copy(), people), people)


def _segments(scene: Scene) -> Call:
    ends = scene.segments.ends.astype(int).tolist()

    def run(pixels: Pixels) -> Pixels:
        drawn = pixels.copy()
        for x1, y1, x2, y2 in ends:
            cv2.line(drawn, (x1, y1), (x2, y2), (0, 0, 255), 2, cv2.LINE_AA)
        return drawn

    return run


def _tinted(scene: Scene) -> Call:
    ids, colors = scene.mask.ids, np.array([PAPER, (0, 140, 251)], np.uint8)

    def run(pixels: Pixels) -> Pixels:
        drawn = pixels.copy()
        cv2.copyTo(cv2.addWeighted(drawn, 0.5, colors[ids], 0.5, 0), ids, drawn)
        return _lettered(drawn, [("thing", 0, 14)])

    return run


def _outlined(scene: Scene) -> Call:
    outlines = [points.astype(np.int32) for points in scene.outlined.outlines()]

    def run(pixels: Pixels) -> Pixels:
        drawn = pixels.copy()
        for points in outlines:
            cv2.polylines(drawn, [points], True, (0, 140, 251), 2, cv2.LINE_AA)
        return drawn

    return run


def _read(scene: Scene) -> Call:
    places = [points.astype(np.int32) for points in scene.text.polygons]
    lines = [(text, *points.min(axis=0).tolist()) for text, points in zip(scene.text.texts, places, strict=True)]

    def run(pixels: Pixels) -> Pixels:
        drawn = pixels.copy()
        cv2.polylines(drawn, places, True, (0, 140, 251), 2, cv2.LINE_AA)
        return _lettered(drawn, lines)

    return run


def _beside(_: Scene) -> Call:
    gap = np.full((480, 4, 3), 255, np.uint8)

    def run(pixels: Pixels) -> Pixels:
        small = cv2.resize(pixels[:, 320:], (320, 480))
        cell = cv2.copyMakeBorder(small, 0, 0, 160, 160, cv2.BORDER_CONSTANT, value=INK)
        return np.hstack([pixels, gap, cell])

    return run


def _four(scene: Scene) -> Call:
    beside, gap = _beside(scene), np.full((4, 1284, 3), 255, np.uint8)
    return lambda pixels: np.vstack([beside(pixels), gap, beside(pixels)])


def _zone(_: Scene) -> Call:
    corners = np.array(DOOR, np.int32)

    def run(pixels: Pixels) -> Pixels:
        drawn, over = pixels.copy(), pixels.copy()
        cv2.fillPoly(over, [corners], (0, 140, 251))
        drawn = np.asarray(cv2.addWeighted(drawn, 0.8, over, 0.2, 0))
        cv2.polylines(drawn, [corners], True, (0, 140, 251), 2, cv2.LINE_AA)
        return _lettered(drawn, [("door", 300, 360)])

    return run


TWO = ("image", "window")
DRAWN = (
    Pair("draw.blur", lambda scene: _windows(scene, _blurred), {}, "10 objects", ("image", "objects")),
    Pair("draw.boxes", _boxes, {}, "10 objects, supervision", ("image", "objects")),
    Pair("draw.flow", _arrows, {"step": 30}, "", ("image", "flow")),
    Pair("draw.heatmap", _heat, {}, "", ("image", "field")),
    Pair("draw.keypoints", _skeletons, {}, "10 people, supervision", ("image", "people")),
    Pair(
        "draw.labels",
        plain(lambda p: _lettered(p.copy(), [(f"{n} 0.30", 0, 14 * n) for n in (1, 2, 3)])),
        {},
        "",
        ("image", "labels"),
    ),
    Pair("draw.lines", _segments, {}, "100 lines", ("image", "segments")),
    Pair("draw.mask", _tinted, {}, "", ("image", "mask")),
    Pair(
        "draw.masks",
        _annotated("MaskAnnotator", source="masked"),
        {"outline": False},
        "10 objects, supervision",
        ("image", "masked"),
    ),
    Pair("draw.mosaic", _four, {}, "4 pictures", ("images",)),
    Pair("draw.pixelate", lambda scene: _windows(scene, _blocks), {}, "10 objects", ("image", "objects")),
    Pair("draw.polygons", _outlined, {}, "10 objects", ("image", "outlined")),
    Pair("draw.sidebyside", _beside, {}, "", TWO),
    Pair("draw.text", _read, {}, "10 lines", ("image", "text")),
    Pair(
        "draw.title",
        plain(lambda p: _lettered(p.copy(), [("10 objects", 0, 14)])),
        {},
        "",
        ("image", "objects", *["nothing"] * 3),
    ),
    Pair(
        "draw.trails",
        _annotated("TraceAnnotator", source="tracked"),
        {},
        "10 tracks, supervision",
        ("image", "tracked"),
    ),
    Pair("zones.draw", _zone, {"zones": {"door": DOOR}}, "", ("image", "nothing")),
)
