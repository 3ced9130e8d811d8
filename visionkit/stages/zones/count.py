"""``zones.count``: who is in which zone, since when, and how many came and went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from visionkit.data import Detections, Rows, Scores
from visionkit.expr import Record, Type
from visionkit.lazy import np
from visionkit.stage import ScanStage, StageContext, StageParams
from visionkit.stage.fields import NUMBER, NUMBERS, TEXTS
from visionkit.stages.zones._memory import Tracks, seconds
from visionkit.stages.zones._shapes import (
    ANCHOR_HELP,
    MARGIN_HELP,
    ZONES_HELP,
    Anchor,
    Zones,
    anchors,
    depths,
    margin_pixels,
    placed,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CountZonesParams(StageParams):
    zones: Zones = Field(min_length=1, description=ZONES_HELP)
    anchor: Anchor = Field("bottom", description=ANCHOR_HELP)
    margin: float = Field(0.005, ge=0, le=1000, description=MARGIN_HELP)
    forget: int = Field(60, ge=1, description="A track that was not seen for more frames than this is over.")


class Counted(NamedTuple):
    """What zones.count yields."""

    objects: Detections
    counts: Scores
    events: Rows


@dataclass
class Stay:
    """A track and one zone."""

    inside: bool
    since: Fraction | None


class CountZones(ScanStage[CountZonesParams]):
    """Says in which zone each tracked object is and for how long, and counts who comes and goes.

    Three values: ``objects`` are the tracks with the columns ``zone`` (the first of the file that holds the object,
    null in none) and ``dwell`` (seconds in it); ``counts`` has ``inside``, ``in`` and ``out`` for each zone;
    ``events`` are rows for tables: ``enter`` and ``leave``, and ``appear`` and ``lost`` for tracks that begin or end
    inside, so that nobody is inside who is not accounted for. Without tracks only ``zone`` and ``inside`` are known.

    Example:
        - zones.count: {zones: {door: [[0.4, 0.5], [0.6, 0.5], [0.6, 1], [0.4, 1]]}}
    """

    extra_columns = MappingProxyType({"zone": TEXTS, "dwell": NUMBERS})

    @classmethod
    def fields(cls, params: CountZonesParams, port: str) -> Mapping[str, Type | Record]:
        one = Record({"inside": NUMBER, "in": NUMBER, "out": NUMBER}, "zone")
        return {"objects": cls.extra_columns, "counts": dict.fromkeys(params.zones, one)}.get(port, {})

    def open(self, context: StageContext) -> None:
        self.reset()

    def reset(self) -> None:
        self._tracks: Tracks[dict[str, Stay]] = Tracks(dict, self.params.forget)
        self._totals = {f"{name}.{way}": 0 for name in self.params.zones for way in ("in", "out")}

    def run(self, objects: Detections) -> Counted:
        events = [
            self._event("lost", zone, track, None, stay)
            for track, stays in self._tracks.frame()
            for zone, stay in stays.items()
            if stay.inside
        ]
        points = anchors(objects, self.params.anchor)
        margin = margin_pixels(self.params.margin, objects.canvas)
        held = {}
        for zone, polygon in placed(self.params.zones, objects.canvas).items():
            held[zone] = self._zone(zone, depths(polygon, points), margin, objects, events)
        columns = self._columns(held, objects)
        counts: dict[str, float] = {}
        for zone, inside in held.items():
            counts[f"{zone}.inside"] = int(inside.sum())
            counts |= {f"{zone}.{way}": self._totals[f"{zone}.{way}"] for way in ("in", "out")}
        return Counted(objects.with_columns(columns), Scores(counts), Rows(tuple(events)))

    def _zone(
        self, zone: str, depth: NDArray[Any], margin: float, objects: Detections, events: list[Any]
    ) -> NDArray[Any]:
        """Which objects are in the zone, (N,) bool; what happened goes to ``events``."""
        inside = depth >= 0
        if objects.track_id is None:
            return inside
        for row, track in enumerate(objects.track_id.tolist()):
            stays = self._tracks[track]
            stay = stays.get(zone)
            if stay is None:
                stay = stays[zone] = Stay(bool(inside[row]), self.now)
                happened = "appear" if stay.inside else ""
            else:
                happened = self._moved(zone, stay, float(depth[row]), margin)
            if happened:
                events.append(self._event(happened, zone, track, objects.class_names[objects.class_id[row]], stay))
            if happened == "leave":
                stay.since = None
            inside[row] = stay.inside
        return inside

    def _moved(self, zone: str, stay: Stay, depth: float, margin: float) -> str:
        """What a track did that was ``depth`` pixels inside on this frame."""
        if not stay.inside and depth > margin:
            stay.inside, stay.since = True, self.now
            self._totals[f"{zone}.in"] += 1
            return "enter"
        if stay.inside and depth < -margin:
            stay.inside = False
            self._totals[f"{zone}.out"] += 1
            return "leave"
        return ""

    def _columns(self, held: dict[str, NDArray[Any]], objects: Detections) -> dict[str, Any]:
        zones = np.full(len(objects), None, dtype=object)
        dwell = np.full(len(objects), np.nan)
        ids = None if objects.track_id is None else objects.track_id.tolist()
        for zone, inside in held.items():
            for row in np.flatnonzero(inside).tolist():
                if zones[row] is None:
                    zones[row] = zone
                    time = None if ids is None else seconds(self._tracks[ids[row]][zone].since, self.now)
                    dwell[row] = np.nan if time is None else time
        return {"zone": zones, "dwell": dwell}

    def _event(self, event: str, zone: str, track: int, class_name: str | None, stay: Stay) -> dict[str, Any]:
        row = {"event": event, "zone": zone, "track_id": track, "class_name": class_name}
        return {**row, "dwell": seconds(stay.since, self.now) if event in ("leave", "lost") else None}
