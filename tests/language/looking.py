"""Stages that look at pixels: they find what was drawn, so that geometry is held to what is seen."""

from __future__ import annotations

from types import MappingProxyType

import cv2
import numpy as np

from visionkit.data import Detections, Image, Scores
from visionkit.stage import MapStage, StageParams
from visionkit.stage.fields import NUMBER

TARGETS = {
    "look.blobs": "tests.language.looking:Blobs",
    "look.centre": "tests.language.looking:Centre",
    "look.given": "tests.language.looking:Given",
    "look.quarters": "tests.language.looking:Quarters",
}


class BlobsParams(StageParams):
    level: int = 60
    margin: float = 0.0
    whole: bool = True


class Blobs(MapStage[BlobsParams]):
    """The boxes of light blobs, ``margin`` wider on each side; those that the picture's edge cuts are left out."""

    def run(self, image: Image) -> Detections:
        light = (image.gray() > self.params.level).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(light)
        boxes = [(x, y, x + w, y + h) for x, y, w, h, _ in stats[1:]]
        if self.params.whole:
            boxes = [b for b in boxes if min(b[:2]) > 0 and b[2] < image.width and b[3] < image.height]
        xyxy = np.array(boxes, np.float32).reshape(-1, 4)
        xyxy += np.array([-1, -1, 1, 1], np.float32) * np.float32(self.params.margin)
        return Detections(image.canvas, xyxy, np.ones(len(xyxy)), np.zeros(len(xyxy)), ("disc",))


class Centre(MapStage[StageParams]):
    """The centroid of all light, as a box of one pixel around it."""

    def run(self, image: Image) -> Detections:
        weight = image.gray().astype(np.float64)
        weight[weight < 20] = 0
        if weight.sum() == 0:
            return Detections.empty(image.canvas, ("disc",))
        ys, xs = np.mgrid[0 : image.height, 0 : image.width] + 0.5
        x, y = (weight * xs).sum() / weight.sum(), (weight * ys).sum() / weight.sum()
        box = np.array([[x - 0.5, y - 0.5, x + 0.5, y + 0.5]], np.float32)
        return Detections(image.canvas, box, np.ones(1), np.zeros(1), ("disc",))


class GivenParams(StageParams):
    corners: tuple[tuple[tuple[float, float], ...], ...]
    polygons: bool = False


class Given(MapStage[GivenParams]):
    """Rotated boxes, or polygons, as the file has them, in pixels of the picture."""

    def run(self, image: Image) -> Detections:
        shapes = [np.array(shape, np.float32) for shape in self.params.corners]
        xyxy = np.array([[*shape.min(axis=0), *shape.max(axis=0)] for shape in shapes], np.float32)
        n = len(shapes)
        extra = {"polygons": tuple(shapes)} if self.params.polygons else {"corners": np.stack(shapes)}
        return Detections(image.canvas, xyxy, np.ones(n), np.zeros(n), ("sign",), **extra)


class Quarters(MapStage[StageParams]):
    """The mean grey of the four quarters of a picture, from its top left, clockwise; and its size."""

    extra_columns = MappingProxyType(dict.fromkeys(("tl", "tr", "br", "bl", "width", "height"), NUMBER))

    def run(self, image: Image) -> Scores:
        gray, y, x = image.gray(), image.height // 2, image.width // 2
        parts = {"tl": gray[:y, :x], "tr": gray[:y, x:], "br": gray[y:, x:], "bl": gray[y:, :x]}
        means = {name: float(part.mean()) if part.size else -1.0 for name, part in parts.items()}
        return Scores({**means, "width": float(image.width), "height": float(image.height)})
