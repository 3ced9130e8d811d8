"""Objects found in a picture, as columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from visionkit.data.arrays import frozen_array
from visionkit.data.geometry import Canvas, box_corners, hull
from visionkit.data.masks import Masks
from visionkit.errors import DataError
from visionkit.frozen import Frozen
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]


class Detections(Frozen, eq=False):
    """N objects on a canvas.

    Attributes:
        canvas: the plane that all coordinates below are pixels of.
        xyxy: boxes (N, 4) float32: left, top, right, bottom.
        score: (N,) float32 in 0..1.
        class_id: (N,) int32, an index into ``class_names``.
        class_names: the names of all classes the finder knows.
        track_id: (N,) int64 from a tracker, or None.
        corners: outlines (N, 4, 2) float32 of rotated boxes, or None.
        polygons: N outlines (K, 2) float32, or None.
        masks: a bitmap per object, or None.
        keypoints: (N, K, 3) float32: x, y, score; or None.
        columns: further values per object: arrays (N,); text is an object array, null is NaN or None.
    """

    canvas: Canvas
    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int32]
    class_names: tuple[str, ...] = ("object",)
    track_id: NDArray[np.int64] | None = None
    corners: NDArray[np.float32] | None = None
    polygons: tuple[NDArray[np.float32], ...] | None = None
    masks: Masks | None = None
    keypoints: NDArray[np.float32] | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "xyxy", frozen_array("detections.xyxy", self.xyxy, np.float32, ("N", 4)))
        n = len(self.xyxy)
        put(self, "score", frozen_array("detections.score", self.score, np.float32, ("N",), N=n))
        put(self, "class_id", frozen_array("detections.class_id", self.class_id, np.int32, ("N",), N=n))
        if self.track_id is not None:
            put(self, "track_id", frozen_array("detections.track_id", self.track_id, np.int64, ("N",), N=n))
        if self.corners is not None:
            put(self, "corners", frozen_array("detections.corners", self.corners, np.float32, ("N", 4, 2), N=n))
        if self.keypoints is not None:
            put(self, "keypoints", frozen_array("detections.keypoints", self.keypoints, np.float32, ("N", "K", 3), N=n))
        if self.polygons is not None:
            outlines = [frozen_array("detections.polygons", p, np.float32, ("K", 2)) for p in self.polygons]
            put(self, "polygons", tuple(outlines))
        for name, parts in (("polygons", self.polygons), ("masks", self.masks)):
            if parts is not None and len(parts) != n:
                raise DataError(f"detections.{name}: expected {n}, one per object, got {len(parts)}")
        if n and (self.class_id.min() < 0 or self.class_id.max() >= len(self.class_names)):
            raise DataError(
                f"detections.class_id: expected 0..{len(self.class_names) - 1}, "
                f"got {self.class_id.min()}..{self.class_id.max()}"
            )
        columns = {k: frozen_array(f"detections.{k}", v, None, ("N",), N=n) for k, v in self.columns.items()}
        put(self, "columns", columns)

    def __len__(self) -> int:
        return len(self.xyxy)

    @staticmethod
    def empty(canvas: Canvas, class_names: Sequence[str] = ("object",)) -> Detections:
        """No objects on ``canvas``."""
        return Detections(
            canvas, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32), tuple(class_names)
        )

    @property
    def class_name(self) -> Column:
        """The class of each object as text, (N,) objects."""
        names = np.array(self.class_names, dtype=object)
        return np.asarray(names[self.class_id]) if len(self) else np.zeros(0, object)

    def outlines(self) -> list[NDArray[np.float64]]:
        """For each object its polygon, rotated box or box as points (K, 2) on the canvas."""
        if self.polygons is not None:
            return [np.asarray(p, np.float64) for p in self.polygons]
        corners = self.corners if self.corners is not None else box_corners(self.xyxy)
        return [np.asarray(c, np.float64) for c in corners]

    def select(self, which: Any) -> Detections:
        """The objects that a boolean mask (N,) or indices (M,) name, in that order."""
        index = np.asarray(which)
        index = np.flatnonzero(index) if index.dtype == bool else index.astype(np.intp)
        pick = [int(i) for i in index]
        return replace(
            self,
            xyxy=self.xyxy[index],
            score=self.score[index],
            class_id=self.class_id[index],
            track_id=None if self.track_id is None else self.track_id[index],
            corners=None if self.corners is None else self.corners[index],
            polygons=None if self.polygons is None else tuple(self.polygons[i] for i in pick),
            masks=None if self.masks is None else self.masks.select(pick),
            keypoints=None if self.keypoints is None else self.keypoints[index],
            columns={k: v[index] for k, v in self.columns.items()},
        )

    def with_columns(self, columns: Mapping[str, Any]) -> Detections:
        """A copy with columns added or replaced. ``score`` and ``class_name`` set the fields of that name."""
        extra = dict(columns)
        changes: dict[str, Any] = {}
        if "score" in extra:
            changes["score"] = np.nan_to_num(np.asarray(extra.pop("score"), np.float32))
        if "class_name" in extra:
            texts = ["unknown" if t is None else str(t) for t in extra.pop("class_name")]
            names = tuple(dict.fromkeys(texts)) or self.class_names
            changes |= {"class_names": names, "class_id": np.array([names.index(t) for t in texts], np.int32)}
        return replace(self, **changes, columns={**self.columns, **extra})

    def on(self, canvas: Canvas) -> Detections:
        """The same objects in the pixels of another canvas of the same frame.

        Boxes become the boxes around their images; where boxes do not stay boxes, ``corners`` keeps the exact outline.

        Raises:
            DataError: one of the two canvases has no place in the frame.
        """
        if canvas is self.canvas or (canvas.is_frame and self.canvas.is_frame):
            return self
        move = self.canvas.transfer
        corners = self.corners
        if corners is None and not self.canvas.keeps_boxes(canvas):
            corners = box_corners(self.xyxy).astype(np.float32)
        if corners is not None:
            corners = move(corners.reshape(-1, 2), canvas).reshape(-1, 4, 2).astype(np.float32)
        polygons = self.polygons
        if polygons is not None:
            polygons = tuple(move(p, canvas).astype(np.float32) for p in polygons)
        points = self.keypoints
        if points is not None:
            xy = move(points[:, :, :2].reshape(-1, 2), canvas).reshape(*points.shape[:2], 2)
            points = np.concatenate([xy, points[:, :, 2:]], axis=2).astype(np.float32)
        boxes = hull(corners) if corners is not None else self.canvas.transfer_boxes(self.xyxy, canvas)
        if polygons:
            boxes = np.concatenate([hull(p[None]) for p in polygons])
        masks = None if self.masks is None else self.masks.on(canvas)
        return replace(
            self, canvas=canvas, xyxy=boxes, corners=corners, polygons=polygons, keypoints=points, masks=masks
        )

    def lifted(self) -> Detections:
        """The same objects in source-frame pixels."""
        return self.on(self.canvas.as_frame())

    def column(self, name: str) -> Column | None:
        """A column by its name in expressions, geometry in pixels of this canvas; None if there is none."""
        if name in self.columns:
            return self.columns[name]
        if name in ("score", "class_id", "track_id", "class_name"):
            found: Column | None = getattr(self, name)
            return found
        if name not in GEOMETRY:
            return None
        x1, y1, x2, y2 = self.xyxy.astype(np.float64).T
        return np.asarray(GEOMETRY[name](x1, y1, x2, y2))

    def to_dicts(self) -> list[dict[str, Any]]:
        """One plain dict per object, ready for JSON, coordinates as they are on the canvas."""
        return [self._row(i) for i in range(len(self))]

    def _row(self, i: int) -> dict[str, Any]:
        row: dict[str, Any] = {
            "class_name": self.class_names[self.class_id[i]],
            "class_id": int(self.class_id[i]),
            "score": _rounded(self.score[i], 4),
            "box": [_rounded(v, 2) for v in self.xyxy[i]],
        }
        if self.track_id is not None:
            row["track_id"] = int(self.track_id[i])
        if self.corners is not None:
            row["corners"] = np.round(self.corners[i].astype(float), 2).tolist()
        if self.polygons is not None:
            row["polygon"] = np.round(self.polygons[i].astype(float), 2).tolist()
        if self.keypoints is not None:
            row["keypoints"] = np.round(self.keypoints[i].astype(float), 3).tolist()
        return row | {name: plain(values[i]) for name, values in self.columns.items()}

    def to_supervision(self) -> Any:
        """The same objects as ``supervision.Detections``, masks rasterised on this canvas."""
        from visionkit.lazy import supervision

        mask = None if self.masks is None else self.masks.rasterised(self.canvas)
        return supervision.Detections(
            xyxy=np.array(self.xyxy),
            confidence=np.array(self.score),
            class_id=np.array(self.class_id, dtype=int),
            tracker_id=None if self.track_id is None else np.array(self.track_id),
            mask=mask,
            data={"class_name": np.array([str(n) for n in self.class_name])},
        )


GEOMETRY = {
    "x1": lambda x1, y1, x2, y2: x1,
    "y1": lambda x1, y1, x2, y2: y1,
    "x2": lambda x1, y1, x2, y2: x2,
    "y2": lambda x1, y1, x2, y2: y2,
    "cx": lambda x1, y1, x2, y2: (x1 + x2) / 2,
    "cy": lambda x1, y1, x2, y2: (y1 + y2) / 2,
    "width": lambda x1, y1, x2, y2: x2 - x1,
    "height": lambda x1, y1, x2, y2: y2 - y1,
    "area": lambda x1, y1, x2, y2: (x2 - x1) * (y2 - y1),
}


def concatenate(parts: Iterable[Detections], canvas: Canvas) -> Detections:
    """All objects of ``parts`` on one canvas; classes are united by name.

    Optional fields and columns that one part lacks are null there (masks, outlines and keypoints are dropped
    unless every non-empty part has them).
    """
    found = [part.on(canvas) for part in parts]
    names = tuple(dict.fromkeys(name for part in found for name in part.class_names)) or ("object",)
    full = [part for part in found if len(part)]
    if not full:
        return Detections.empty(canvas, names)
    ids = np.concatenate([np.array([names.index(n) for n in part.class_names])[part.class_id] for part in full])
    optional: dict[str, Any] = {}
    for key in ("track_id", "corners", "keypoints"):
        values = [getattr(part, key) for part in full]
        if all(v is not None for v in values) and len({v.shape[1:] for v in values}) == 1:
            optional[key] = np.concatenate(values)
    if all(part.polygons is not None for part in full):
        optional["polygons"] = tuple(p for part in full for p in part.polygons or ())
    if all(part.masks is not None for part in full):
        optional["masks"] = Masks(tuple(m for part in full for m in (part.masks or Masks(())).items))
    columns = {key: _joined(full, key) for key in dict.fromkeys(k for part in full for k in part.columns)}
    return Detections(
        canvas,
        np.concatenate([part.xyxy for part in full]),
        np.concatenate([part.score for part in full]),
        ids,
        names,
        columns=columns,
        **optional,
    )


def _joined(parts: list[Detections], key: str) -> Column:
    known = [part.columns[key] for part in parts if key in part.columns]
    text = any(column.dtype == object for column in known)
    filler: Any = None if text else np.nan
    columns = [part.columns.get(key, np.full(len(part), filler, object if text else float)) for part in parts]
    return np.concatenate(columns)


def _rounded(value: Any, digits: int) -> float:
    return round(float(value), digits)


def plain(value: Any) -> Any:
    """A NumPy scalar or a nested value as what JSON knows; NaN and infinities become None."""
    if isinstance(value, np.ndarray):
        return [plain(v) for v in value.tolist()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return None
        return int(value) if value.is_integer() and abs(value) < 2**53 else round(value, 6)
    return value
