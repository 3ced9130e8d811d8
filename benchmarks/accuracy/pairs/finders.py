"""Pictures to things found in them, without a network; and what is done with things that were found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy import tracking
from benchmarks.accuracy.pairs.pair import Call, Pair, Pixels, plain
from benchmarks.accuracy.pairs.pictures import gray
from benchmarks.accuracy.scene import Scene
from visionkit.lazy import load


def _outlines(pixels: Pixels) -> Any:
    mask = cv2.threshold(gray(pixels), 127, 255, cv2.THRESH_BINARY)[1]
    found = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    large = [one for one in found if cv2.contourArea(one) >= 16]
    return [(one, cv2.boundingRect(one), cv2.arcLength(one, True)) for one in large]


def _mog2(_: Scene) -> Call:
    model = cv2.createBackgroundSubtractorMOG2(300, 16.0)
    return lambda pixels: model.apply(pixels)


def _knn(_: Scene) -> Call:
    model = cv2.createBackgroundSubtractorKNN(300, 400.0)
    return lambda pixels: model.apply(pixels)


def _flow(calc: Callable[[Pixels, Pixels], Any]) -> Callable[[Scene], Call]:
    def make(_: Scene) -> Call:
        before = [np.zeros((480, 640), np.uint8)]

        def flow(pixels: Pixels) -> Any:
            now = gray(pixels)
            found = calc(now, before[0])
            before[0] = now
            return found

        return flow

    return make


def _dis(scene: Scene) -> Call:
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return _flow(lambda now, before: search.calc(now, before, None))(scene)


def _farneback(now: Pixels, before: Pixels) -> Any:
    return cv2.calcOpticalFlowFarneback(now, before, None, 0.5, 3, 15, 3, 5, 1.2, 0)


def _circles(pixels: Pixels) -> Any:
    return cv2.HoughCircles(gray(pixels), cv2.HOUGH_GRADIENT, 1, 30, param1=100, param2=30, minRadius=10, maxRadius=60)


def _cut_out(scene: Scene) -> Call:
    boxes = scene.pair.xyxy.astype(int).tolist()

    def run(pixels: Pixels) -> Any:
        found = []
        for x1, y1, x2, y2 in boxes:
            along, down = (x2 - x1) // 4, (y2 - y1) // 4
            top, left = max(0, y1 - down), max(0, x1 - along)
            area = np.ascontiguousarray(pixels[top : y2 + down, left : x2 + along])
            marks, box = np.zeros(area.shape[:2], np.uint8), (x1 - left, y1 - top, x2 - x1, y2 - y1)
            cv2.grabCut(area, marks, box, np.zeros((1, 65)), np.zeros((1, 65)), 3, cv2.GC_INIT_WITH_RECT)
            found.append(marks & 1)
        return found

    return run


def _superpixels(_: Scene) -> Call:
    slic, parts = load("skimage.segmentation").slic, load("skimage.measure").regionprops

    def run(pixels: Pixels) -> Any:
        rgb = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)
        return [(one.bbox, one.image) for one in parts(slic(rgb, 100, 10.0, sigma=1.0, start_label=1, channel_axis=-1))]

    return run


def _flooded(pixels: Pixels) -> Any:
    things = cv2.threshold(gray(pixels), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)[1]
    depth = cv2.distanceTransform(things, cv2.DIST_L2, 5)
    sure = np.uint8(depth > 0.5 * depth.max())
    count, markers = cv2.connectedComponents(sure)
    markers[things == 0] = count
    flooded = cv2.watershed(pixels, markers)
    return [flooded == label for label in range(1, count)]


CLASSIC = (
    Pair("background.knn", _knn),
    Pair("background.mog2", _mog2),
    Pair("contours", plain(_outlines)),
    Pair("flow.dis", _dis),
    Pair("flow.farneback", _flow(_farneback)),
    Pair("hough.circles", plain(_circles), {"min_radius": 10, "max_radius": 60, "min_distance": 30}, picture="coins"),
    Pair("hough.lines", plain(lambda p: cv2.HoughLinesP(gray(p), 1, np.pi / 180, 50, None, 30, 5)), picture="edges"),
    Pair("read.barcode", plain(lambda p: cv2.barcode.BarcodeDetector().detectAndDecodeWithType(gray(p)))),
    Pair("read.qr", plain(lambda p: cv2.QRCodeDetector().detectAndDecodeMulti(gray(p)))),
    Pair("segment.grabcut", _cut_out, {}, "2 objects", ("image", "pair")),
    Pair("segment.slic", _superpixels, {}, "scikit-image"),
    Pair("segment.watershed", plain(_flooded), picture="coins"),
)


def _merged(scene: Scene) -> Call:
    parts, library = [one.to_supervision() for one in scene.finders], load("supervision")
    return lambda _: library.Detections.merge(parts)


def _suppressed(scene: Scene) -> Call:
    crowd = scene.crowd
    low, high = crowd.xyxy[:, :2], crowd.xyxy[:, 2:]
    boxes, scores, classes = np.concatenate([low, high - low], axis=1), crowd.score, crowd.class_id
    return lambda _: cv2.dnn.NMSBoxesBatched(boxes, scores, classes, 0.0, 0.5)


def _picked(scene: Scene) -> Call:
    given = scene.crowd.to_supervision()
    return lambda _: given[(given.xyxy[:, 3] - given.xyxy[:, 1] > 80) & (given.confidence > 0.5)]


def _clipped(scene: Scene) -> Call:
    given, library = scene.crowd.to_supervision(), load("supervision")

    def run(_: Pixels) -> Any:
        moved = given.xyxy - np.array([320, 0, 320, 0], np.float32)
        inside = library.clip_boxes(moved, (320, 480))
        before, left = ((one[:, 2:] - one[:, :2]).prod(axis=1) for one in (moved, inside))
        kept = given[left >= 0.2 * before]
        kept.xyxy = inside[left >= 0.2 * before]
        return kept

    return run


def _yolo_labels(scene: Scene) -> Call:
    path, size = scene.folder / "a.txt", np.array([640, 480])

    def run(_: Pixels) -> Any:
        rows = np.loadtxt(path, ndmin=2)
        middle, half = rows[:, 1:3] * size, rows[:, 3:5] * size / 2
        return np.concatenate([middle - half, middle + half], axis=1).astype(np.float32), rows[:, 0].astype(int)

    return run


def _patches(scene: Scene) -> Call:
    plane = scene.mask.ids

    def run(_: Pixels) -> Any:
        count, labels, stats, _middle = cv2.connectedComponentsWithStats(plane, connectivity=8)
        windows = [(i, slice(y, y + h), slice(x, x + w)) for i, (x, y, w, h, _) in enumerate(stats[1:].tolist(), 1)]
        return count, [(labels[rows, columns] == i).astype(np.uint8) for i, rows, columns in windows]

    return run


def _followed_outlines(scene: Scene) -> Call:
    assert scene.masked.masks is not None
    bitmaps = [one.bitmap.copy() for one in scene.masked.masks.items]

    def run(_: Pixels) -> Any:
        found = [cv2.findContours(one, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0] for one in bitmaps]
        return [cv2.approxPolyDP(max(one, key=cv2.contourArea), 1.0, True) for one in found]

    return run


def _painted(scene: Scene) -> Call:
    outlines = [points.astype(np.int32) for points in scene.outlined.outlines()]

    def run(_: Pixels) -> Any:
        plane = np.zeros((480, 640), np.uint8)
        for number, points in enumerate(outlines, 1):
            cv2.fillPoly(plane, [points], (number,))
        return plane

    return run


def _tracked(name: str) -> Callable[[Scene], Call]:
    def make(scene: Scene) -> Call:
        tracker, supervision = tracking.TRACKERS[name][1](), load("supervision")
        boxes, scores = np.array(scene.objects.xyxy), np.array(scene.objects.score)
        sees = name == "track.botsort"

        def run(pixels: Pixels) -> Any:
            given = supervision.Detections(boxes, confidence=scores)
            return tracker.update(given, **({"frame": pixels} if sees else {}))

        return run

    return make


BOX = (200.0, 150.0, 420.0, 380.0)


def _points_followed(scene: Scene) -> Call:
    """Optical flow there and back on a grid of points, the library's part of Median Flow."""
    x, y = np.meshgrid(np.linspace(BOX[0], BOX[2], 12), np.linspace(BOX[1], BOX[3], 12))
    points = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    before = [gray(scene.pixels)]

    def run(pixels: Pixels) -> Any:
        now = gray(pixels)
        there = cv2.calcOpticalFlowPyrLK(before[0], now, points, None, winSize=(15, 15), maxLevel=3)[0]
        back = cv2.calcOpticalFlowPyrLK(now, before[0], there, None, winSize=(15, 15), maxLevel=3)[0]
        before[0] = now
        return there[np.linalg.norm(back - points, axis=1) < 1]

    return run


DOOR = ((256.0, 240.0), (384.0, 240.0), (384.0, 480.0), (256.0, 480.0))
GATE = ((0.0, 200.0), (640.0, 200.0))


def _in_zone(scene: Scene) -> Call:
    given, zone = scene.tracked.to_supervision(), load("supervision").PolygonZone(np.array(DOOR, int))
    return lambda _: zone.trigger(given)


def _over_line(scene: Scene) -> Call:
    library, given = load("supervision"), scene.tracked.to_supervision()
    line = library.LineZone(library.Point(*GATE[0]), library.Point(*GATE[1]))
    return lambda _: line.trigger(given)


OBJECTS = (
    Pair(
        "labels",
        _yolo_labels,
        {"path": "{folder}", "format": "yolo", "classes": ("object",)},
        "10 objects, NumPy",
        ("image", "source", "key"),
    ),
    Pair(
        "labels.mask",
        lambda scene: lambda _: cv2.imread(str(scene.folder / "a.png"), cv2.IMREAD_GRAYSCALE),
        {"path": "{folder}"},
        "",
        ("image", "source", "key"),
    ),
    Pair("merge", _merged, {}, "310 objects, supervision", ("finders",)),
    Pair("nms", _suppressed, {}, "300 objects, OpenCV", ("crowd",)),
    Pair("segment.flatten", _painted, {}, "10 objects", ("outlined", "image")),
    Pair("segment.objects", _patches, {}, "10 patches", ("mask",)),
    Pair("segment.polygons", _followed_outlines, {}, "10 objects", ("masked",)),
    Pair("select", _picked, {"where": "height > 80 and score > 0.5"}, "300 objects, supervision", ("crowd",)),
    Pair("visible", _clipped, {}, "300 objects, supervision", ("crowd", "window")),
    *(
        Pair(name, _tracked(name), params, "10 objects, trackers", ("objects", "image"))
        for name, (params, _) in tracking.TRACKERS.items()
    ),
    Pair("track.object", _points_followed, {"box": BOX}, "OpenCV's optical flow", ("image", "nothing")),
    Pair("zones.count", _in_zone, {"zones": {"door": DOOR}}, "10 objects, supervision", ("tracked",)),
    Pair("zones.line", _over_line, {"lines": {"gate": GATE}}, "10 objects, supervision", ("tracked",)),
)
