"""What pairs are measured on: a picture, and everything that earlier stages may have found in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from benchmarks.accuracy.lab import Lab
from visionkit.data import Detections, Field, Image, Key, Labels, Lines, Masks, Matte, SemanticMask, TextLines
from visionkit.stage import SourceInfo

NAMES = "alpha", "beta", "gamma"
CROWD = 300


class Scene:
    """A picture with objects, masks, lines, text, and files of labels.

    Args:
        lab: networks and samples.
        pixels: BGR (H, W, 3).
    """

    nothing = None

    def __init__(self, lab: Lab, pixels: np.ndarray) -> None:
        self.lab = lab
        self.pixels = pixels
        self.height, self.width = pixels.shape[:2]
        self.canvas = Image(pixels).canvas
        self.source = SourceInfo("a.jpg", "image", relpath="a.jpg")
        self._numbers = count()
        self._written = TemporaryDirectory()

    def close(self) -> None:
        """Removes the files of labels."""
        self._written.cleanup()

    @property
    def image(self) -> Image:
        """As a source hands it on: new each time, so that no conversion is kept from the one before."""
        return Image(self.pixels, "bgr", self.canvas)

    @property
    def key(self) -> Key:
        """Of another packet each time."""
        return Key("a.jpg", 0, next(self._numbers))

    @cached_property
    def window(self) -> Image:
        """The right half of the picture."""
        return self.image.crop(self.width // 2, 0, self.width // 2, self.height)

    @property
    def images(self) -> tuple[Image, ...]:
        """The picture and three windows of it."""
        return self.image, self.window, self.window, self.window

    @cached_property
    def objects(self) -> Detections:
        """Ten boxes that do not overlap."""
        return replace(ten_objects(self.width, self.height), canvas=self.canvas)

    @cached_property
    def tracked(self) -> Detections:
        """The same with ids."""
        return replace(self.objects, track_id=np.arange(1, 11))

    @cached_property
    def crowd(self) -> Detections:
        """Three hundred boxes, many over one another."""
        random = np.random.default_rng(0)
        corner = random.uniform(0, 0.7, (CROWD, 2)) * [self.width, self.height]
        boxes = np.concatenate([corner, corner + random.uniform(40, 120, (CROWD, 2))], axis=1)
        return Detections(self.canvas, boxes, random.random(CROWD), random.integers(0, 3, CROWD), NAMES)

    @property
    def finders(self) -> tuple[Detections, ...]:
        """What two detectors found."""
        return self.objects, self.crowd

    @cached_property
    def outlined(self) -> Detections:
        """The ten objects with outlines of forty points."""
        turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
        low, high = self.objects.xyxy[:, None, :2], self.objects.xyxy[:, None, 2:]
        outlines = (low + high) / 2 + circle * (high - low) / 2
        return replace(self.objects, polygons=tuple(outlines.astype(np.float32)))

    @cached_property
    def bitmaps(self) -> list[np.ndarray]:
        """A filled outline (H, W) for each object."""
        planes = [np.zeros((self.height, self.width), np.uint8) for _ in range(len(self.objects))]
        for plane, outline in zip(planes, self.outlined.outlines(), strict=True):
            cv2.fillPoly(plane, [outline.astype(np.int32)], (1,))
        return planes

    @cached_property
    def masked(self) -> Detections:
        """The ten objects with masks."""
        return replace(self.objects, masks=Masks.from_bitmaps(self.bitmaps, self.canvas))

    @cached_property
    def pair(self) -> Detections:
        """Two of the ten."""
        return self.objects.select([0, 6])

    @cached_property
    def people(self) -> Detections:
        """The ten objects with COCO's 17 points."""
        places = np.random.default_rng(0).uniform(0, 1, (10, 17, 2))
        low, high = self.objects.xyxy[:, None, :2], self.objects.xyxy[:, None, 2:]
        points = np.concatenate([low + places * (high - low), np.ones((10, 17, 1))], axis=2)
        return replace(self.objects, keypoints=points.astype(np.float32))

    @cached_property
    def mask(self) -> SemanticMask:
        """Ten patches of one class."""
        ids = np.max(self.bitmaps, axis=0)
        return SemanticMask(self.canvas, ids, ("background", "thing"))

    @cached_property
    def matte(self) -> Matte:
        """A soft disc."""
        plane = np.zeros((self.height, self.width), np.float32)
        cv2.circle(plane, (self.width // 2, self.height // 2), self.height // 3, (1.0,), -1)
        return Matte(self.canvas, np.clip(cv2.GaussianBlur(plane, (0, 0), 5), 0, 1))

    @cached_property
    def field(self) -> Field:
        """A plane of heat."""
        return Field(self.canvas, self.matte.alpha)

    @cached_property
    def flow(self) -> Field:
        """Everything moves by some pixels."""
        values = np.random.default_rng(0).normal(0, 6, (self.height, self.width, 2))
        return Field(self.canvas, cv2.GaussianBlur(values.astype(np.float32), (0, 0), 2) + np.float32(5), "flow")

    @cached_property
    def labels(self) -> Labels:
        """Three classes."""
        return Labels(np.arange(3, dtype=np.int32), np.array([0.6, 0.3, 0.1], np.float32), NAMES)

    @cached_property
    def segments(self) -> Lines:
        """A hundred of them."""
        ends = np.random.default_rng(0).uniform(0, 1, (100, 4)) * [self.width, self.height, self.width, self.height]
        return Lines(self.canvas, ends.astype(np.float32))

    @cached_property
    def text(self) -> TextLines:
        """Ten lines, where the ten objects are."""
        return TextLines(
            self.canvas,
            tuple(f"line {number} of ten" for number in range(10)),
            np.full(10, 0.9, np.float32),
            np.stack(self.objects.outlines()).astype(np.float32),
        )

    @cached_property
    def folder(self) -> Path:
        """``a.txt`` (YOLO's labels of the ten objects) and ``a.png`` (the mask)."""
        folder = Path(self._written.name)
        low, high = self.objects.xyxy[:, :2], self.objects.xyxy[:, 2:]
        shares = np.concatenate([(low + high) / 2, high - low], axis=1) / ([self.width, self.height] * 2)
        np.savetxt(folder / "a.txt", np.column_stack([np.zeros(10), shares]), "%.6f")
        cv2.imwrite(str(folder / "a.png"), self.mask.ids)
        return folder


def ten_objects(width: int, height: int) -> Detections:
    """Ten boxes that do not overlap, on a frame of that size."""
    x, y = np.meshgrid(np.arange(5) * width / 5 + 10, np.arange(2) * height / 2 + 10)
    corner = np.stack([x.ravel(), y.ravel()], axis=1)
    boxes = np.concatenate([corner, corner + np.array([80, 120])], axis=1)
    canvas = Image(np.zeros((height, width, 3), np.uint8)).canvas
    return Detections(canvas, boxes, np.full(10, 0.9), np.zeros(10, int))


def picture(lab: Lab, name: str) -> np.ndarray:
    """BGR: "street" and "coins" are photos of 640 × 480, "edges" those of the street, "line" a line of text."""
    return PICTURES[name](lab)


def _photo(lab: Lab, name: str) -> np.ndarray:
    return np.asarray(cv2.resize(cv2.imread(str(lab.samples / "photos" / f"{name}.jpg")), (640, 480)))


def _edges(lab: Lab) -> np.ndarray:
    return np.asarray(cv2.cvtColor(cv2.Canny(_photo(lab, "street"), 50, 150), cv2.COLOR_GRAY2BGR))


def _line(lab: Lab) -> np.ndarray:
    page = cv2.imread(str(lab.samples / "photos" / "sign.jpg"))
    with lab.stage("ocr.rapidocr") as stage:
        box = stage.run([Image(page)])[0].polygons[0]
    (x1, y1), (x2, y2) = box.min(axis=0).astype(int), box.max(axis=0).astype(int)
    return np.ascontiguousarray(page[y1:y2, x1:x2])


PICTURES: dict[str, Callable[[Lab], np.ndarray]] = {
    "street": lambda lab: _photo(lab, "street"),
    "coins": lambda lab: _photo(lab, "coins"),
    "edges": _edges,
    "line": _line,
}
