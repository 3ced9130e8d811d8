"""Objects of one picture, gathered one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from visionkit.data import Canvas, Detections, Masks
from visionkit.lazy import cv2, np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Columns:
    """Rows of objects on ``canvas``, in the order they are added."""

    canvas: Canvas
    names: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    outlines: list[Any] = field(default_factory=list)
    masks: list[Any] = field(default_factory=list)
    points: list[Any] = field(default_factory=list)

    def add(self, class_name: str, xyxy: Any, score: float = 1.0) -> None:
        """A box (4,)."""
        self.names.append(class_name)
        self.boxes.append(xyxy)
        self.scores.append(score)
        self.outlines.append(None)
        self.masks.append(None)

    def add_outline(self, class_name: str, points: NDArray[np.float64]) -> None:
        """An outline (K, 2) and the box around it."""
        self.add(class_name, np.concatenate([points.min(axis=0), points.max(axis=0)]))
        self.outlines[-1] = points.astype(np.float32)

    def add_coco(self, row: Mapping[str, Any]) -> None:
        """An annotation of COCO: its box, its outline or mask, its keypoints."""
        x, y, width, height = row["bbox"]
        self.add(row["class_name"], np.array([x, y, x + width, y + height]), float(row.get("score", 1)))
        shape = row.get("segmentation")
        if isinstance(shape, Mapping):
            self.masks[-1] = unpacked(shape)
        elif shape and len(shape) == 1:
            self.outlines[-1] = np.array(shape[0], np.float32).reshape(-1, 2)
        elif shape:  # in several pieces: only a mask can hold them
            self.masks[-1] = _filled(shape, self.canvas)
        if "keypoints" in row:
            points = np.array(row["keypoints"], np.float32).reshape(-1, 3)
            self.points.append(np.concatenate([points[:, :2], points[:, 2:] > 0], axis=1))

    def detections(self, classes: tuple[str, ...]) -> Detections:
        """All of them; masks, outlines and keypoints only where every object has them."""
        names = tuple(dict.fromkeys([*classes, *self.names])) or ("object",)
        count = len(self.names)
        if not count:
            return Detections.empty(self.canvas, names)
        return Detections(
            self.canvas,
            np.array(self.boxes, np.float32),
            np.array(self.scores, np.float32),
            np.array([names.index(name) for name in self.names], np.int32),
            names,
            keypoints=np.stack(self.points).astype(np.float32) if len(self.points) == count else None,
            **self._shapes(),
        )

    def _shapes(self) -> dict[str, Any]:
        """Outlines if all objects have one; masks if some can only be had as a mask."""
        pairs = list(zip(self.outlines, self.masks, strict=True))
        if any(outline is None and mask is None for outline, mask in pairs):
            return {}
        if all(outline is not None for outline in self.outlines):
            return {"polygons": tuple(self.outlines)}
        bitmaps = (_filled([outline], self.canvas) if mask is None else mask for outline, mask in pairs)
        return {"masks": Masks.from_bitmaps(bitmaps, self.canvas)}


def unpacked(packed: Mapping[str, Any]) -> NDArray[np.uint8]:
    """COCO's run lengths, packed into letters or not, as a mask (H, W): column by column, beginning with zeros."""
    counts = packed["counts"]
    runs = _runs(counts) if isinstance(counts, str) else list(counts)
    flat = np.repeat(np.arange(len(runs), dtype=np.uint8) % 2, runs)
    height, width = packed["size"]
    return np.ascontiguousarray(flat.reshape(width, height).T)


def _runs(letters: str) -> list[int]:
    """Six bits a letter, the sixth for "more follows"; from the fourth run on the difference to the one before last."""
    runs: list[int] = []
    value = shift = 0
    for letter in letters:
        bits = ord(letter) - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value -= (1 << shift) if bits & 0x10 else 0
            runs.append(value + (runs[-2] if len(runs) > 2 else 0))
            value = shift = 0
    return runs


def _filled(pieces: Any, canvas: Canvas) -> NDArray[np.uint8]:
    plane = np.zeros((canvas.height, canvas.width), np.uint8)
    corners = [np.round(np.array(piece, np.float64).reshape(-1, 1, 2) - 0.5).astype(np.int32) for piece in pieces]
    cv2.fillPoly(plane, corners, (1,))
    return plane
