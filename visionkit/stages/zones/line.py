"""``zones.line``: who crosses a line, and in which direction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from visionkit.data import Detections, Rows, Scores
from visionkit.expr import Record, Type
from visionkit.lazy import np
from visionkit.stage import ScanStage, StageContext, StageParams
from visionkit.stage.fields import NUMBER
from visionkit.stages.zones._memory import Tracks
from visionkit.stages.zones._shapes import (
    ANCHOR_HELP,
    LINES_HELP,
    MARGIN_HELP,
    Anchor,
    Lines,
    anchors,
    margin_pixels,
    placed,
    sides,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CountLinesParams(StageParams):
    lines: Lines = Field(min_length=1, description=LINES_HELP)
    anchor: Anchor = Field("bottom", description=ANCHOR_HELP)
    margin: float = Field(0.005, ge=0, le=1000, description=MARGIN_HELP)
    forget: int = Field(60, ge=1, description="A track that was not seen for more frames than this is over.")


class Crossed(NamedTuple):
    """What zones.line yields."""

    counts: Scores
    events: Rows


@dataclass
class Passage:
    """A track and one line.

    Attributes:
        side: 1 right of the line, -1 left of it, 0 while it has been within the margin from the start.
        point: where it was on the frame before, (2,).
        distance: how far to the right that was.
        through: its last step over the endless line went between the two ends.
    """

    side: int
    point: NDArray[np.float64]
    distance: float
    through: bool = False


class CountLines(ScanStage[CountLinesParams]):
    """Counts tracked objects that cross a line, each direction for itself.

    ``in`` is from the left of the line to its right, for somebody who walks from its first point to its second; ``out``
    is the other way. A track counts once it is ``margin`` beyond the line, so that a box that trembles on it does not.
    Two values: ``counts`` has ``in`` and ``out`` for each line, ``events`` has a row for each crossing, with the place
    in source-frame pixels.

    Example:
        - zones.line: {lines: {gate: [[0, 0.6], [1, 0.6]]}}
    """

    needs_tracks = True

    @classmethod
    def fields(cls, params: CountLinesParams, port: str) -> Mapping[str, Type | Record]:
        one = Record({"in": NUMBER, "out": NUMBER}, "line")
        return dict.fromkeys(params.lines, one) if port == "counts" else {}

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        self._tracks: Tracks[dict[str, Passage]] = Tracks(dict, self.params.forget)
        self._totals = {f"{name}.{way}": 0 for name in self.params.lines for way in ("in", "out")}

    def run(self, objects: Detections) -> Crossed:
        for _ in self._tracks.frame():  # whoever is gone crosses nothing any more
            pass
        events: list[dict[str, Any]] = []
        if objects.track_id is not None:
            points = anchors(objects, self.params.anchor)
            margin = margin_pixels(self.params.margin, objects.canvas)
            for name, line in placed(self.params.lines, objects.canvas).items():
                distances = sides(line, points)
                for row, track in enumerate(objects.track_id.tolist()):
                    way = self._step(name, line, self._tracks[track], points[row], float(distances[row]), margin)
                    if way:
                        self._totals[f"{name}.{way}"] += 1
                        events.append(_event(name, way, objects, row, points[row]))
        return Crossed(Scores(dict(self._totals)), Rows(tuple(events)))

    @staticmethod
    def _step(
        name: str,
        line: NDArray[np.float64],
        passages: dict[str, Passage],
        point: NDArray[np.float64],
        distance: float,
        margin: float,
    ) -> str:
        """Which way a track crosses that comes to ``point``, ``distance`` pixels right of the line: in, out or ""."""
        side = 1 if distance > margin else -1 if distance < -margin else 0
        known = passages.get(name)
        if known is None:
            passages[name] = Passage(side, point, distance)
            return ""
        if (known.distance < 0) != (distance < 0):
            known.through = _between(line, known.point, known.distance, point, distance)
        known.point, known.distance = point, distance
        before, known.side = known.side, side or known.side
        if not side or not before or side == before or not known.through:
            return ""
        return "in" if side > 0 else "out"


def _between(
    line: NDArray[np.float64], start: NDArray[np.float64], before: float, end: NDArray[np.float64], after: float
) -> bool:
    """Whether the step from ``start`` to ``end`` passes between the ends of the line."""
    crossing = start + (end - start) * (before / (before - after))
    way = line[1] - line[0]
    share = float((crossing - line[0]) @ way / (way @ way))
    return 0.0 <= share <= 1.0


def _event(name: str, way: str, objects: Detections, row: int, point: NDArray[np.float64]) -> dict[str, Any]:
    assert objects.track_id is not None
    return {
        "event": "cross",
        "line": name,
        "direction": way,
        "track_id": int(objects.track_id[row]),
        "class_name": objects.class_names[objects.class_id[row]],
        "x": round(float(point[0]), 2),
        "y": round(float(point[1]), 2),
    }
