"""What stages find out about a picture, other than objects: classes, text, scores, planes, lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any

from visionkit.data.arrays import frozen_array
from visionkit.data.detections import plain
from visionkit.data.geometry import Canvas
from visionkit.data.masks import warp_plane
from visionkit.frozen import Frozen
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Labels(Frozen, eq=False):
    """The classes of a whole picture, best first: ``class_id`` (K,) int32, ``scores`` (K,) float32."""

    class_id: NDArray[np.int32]
    scores: NDArray[np.float32]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "class_id", frozen_array("labels.class_id", self.class_id, np.int32, ("K",)))
        size = len(self.class_id)
        object.__setattr__(self, "scores", frozen_array("labels.scores", self.scores, np.float32, ("K",), K=size))

    def __len__(self) -> int:
        return len(self.class_id)

    @property
    def class_name(self) -> str | None:
        """The best class, None if there is none."""
        return self.class_names[self.class_id[0]] if len(self) else None

    @property
    def score(self) -> float | None:
        """The score of the best class."""
        return float(self.scores[0]) if len(self) else None

    def to_dict(self) -> dict[str, Any]:
        pairs = zip(self.class_id, self.scores, strict=True)
        return {"labels": [{"class_name": self.class_names[i], "score": round(float(s), 4)} for i, s in pairs]}


class TextLines(Frozen, eq=False):
    """Lines of text in reading order: ``texts`` N strings, ``scores`` (N,), ``polygons`` (N, 4, 2) on ``canvas``."""

    canvas: Canvas
    texts: tuple[str, ...]
    scores: NDArray[np.float32]
    polygons: NDArray[np.float32]

    def __post_init__(self) -> None:
        n = len(self.texts)
        object.__setattr__(self, "scores", frozen_array("text.scores", self.scores, np.float32, ("N",), N=n))
        polygons = frozen_array("text.polygons", self.polygons, np.float32, ("N", 4, 2), N=n)
        object.__setattr__(self, "polygons", polygons)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def text(self) -> str | None:
        """All lines joined by a space, None if there are none."""
        return " ".join(self.texts) if self.texts else None

    @property
    def score(self) -> float | None:
        """The mean score of the lines."""
        return float(self.scores.mean()) if len(self) else None

    def on(self, canvas: Canvas) -> TextLines:
        """The same lines in the pixels of another canvas of the same frame."""
        moved = self.canvas.transfer(self.polygons.reshape(-1, 2), canvas).reshape(-1, 4, 2)
        return replace(self, canvas=canvas, polygons=moved.astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        rows = zip(self.texts, self.scores, self.polygons, strict=True)
        return {
            "lines": [
                {"text": t, "score": round(float(s), 4), "polygon": np.round(p.astype(float), 2).tolist()}
                for t, s, p in rows
            ]
        }


class Lines(Frozen, eq=False):
    """Straight segments: ``ends`` (N, 4) float32 x1, y1, x2, y2 on ``canvas``."""

    canvas: Canvas
    ends: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", frozen_array("lines.ends", self.ends, np.float32, ("N", 4)))

    def __len__(self) -> int:
        return len(self.ends)

    def on(self, canvas: Canvas) -> Lines:
        moved = self.canvas.transfer(self.ends.reshape(-1, 2), canvas).reshape(-1, 4)
        return replace(self, canvas=canvas, ends=moved.astype(np.float32))

    def to_dict(self) -> dict[str, Any]:
        return {"lines": np.round(self.ends.astype(float), 2).tolist()}


class Matte(Frozen, eq=False):
    """How much of each pixel belongs to the subject: ``alpha`` (H, W) float32 in 0..1 on ``canvas``."""

    canvas: Canvas
    alpha: NDArray[np.float32]

    def __post_init__(self) -> None:
        shape = (self.canvas.height, self.canvas.width)
        object.__setattr__(self, "alpha", frozen_array("matte.alpha", self.alpha, np.float32, shape))

    def on(self, canvas: Canvas) -> Matte:
        return (
            self if canvas is self.canvas else Matte(canvas, warp_plane(self.alpha, self.canvas, canvas, nearest=False))
        )

    def to_dict(self) -> dict[str, Any]:
        return {"coverage": round(float(self.alpha.mean()), 6)}


class Field(Frozen, eq=False):
    """A float plane: ``values`` (H, W) or (H, W, C) float32 on ``canvas``: heat, flow (dx, dy in pixels), depth.

    ``kind`` names the quantity ("heat", "flow", ...).
    """

    canvas: Canvas
    values: NDArray[np.float32]
    kind: str = "heat"

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        shape = (self.canvas.height, self.canvas.width, *values.shape[2:])
        object.__setattr__(self, "values", frozen_array("field.values", values, np.float32, shape))

    def on(self, canvas: Canvas) -> Field:
        if canvas is self.canvas:
            return self
        return replace(self, canvas=canvas, values=warp_plane(self.values, self.canvas, canvas, nearest=False))

    def to_dict(self) -> dict[str, Any]:
        v = self.values
        return {
            "kind": self.kind,
            "mean": plain(float(v.mean())),
            "min": plain(float(v.min())),
            "max": plain(float(v.max())),
        }


class Scores(Frozen, eq=False):
    """Named numbers about a picture or a stretch of video: sharpness, brightness, counts. NaN is null."""

    values: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {name: plain(float(value)) for name, value in self.values.items()}


class Rows(Frozen, eq=False):
    """Events of a packet as rows of plain values: crossings, readings. Tables write each as a row of its own."""

    rows: tuple[Mapping[str, Any], ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, Any]:
        return {"rows": [plain(row) for row in self.rows]}
