"""Packets as rows of plain values, coordinates in source-frame pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from visionkit.data import ABSENT, Detections, Image, Lines, Packet, TextLines, plain
from visionkit.stage.source import Gap


def results_of(packet: Packet, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Ids and values of a packet's results in the order of the pipeline, also absent ones, without pictures."""
    for name in names or packet.values:
        value = packet.values.get(name, ABSENT)
        if name != "source" and not isinstance(value, Image):
            yield name, value


def lifted(value: Any) -> tuple[Any, tuple[int, int] | None]:
    """A result in source-frame pixels; one without a place in the frame as it is, with its canvas' width and height."""
    if not isinstance(value, (Detections, TextLines, Lines)):
        return value, None
    if value.canvas.to_frame is None:
        return value, value.canvas.size
    return value.on(value.canvas.as_frame()), None


def seconds(packet: Packet) -> float | None:
    """The time of a packet as the nearest float, None for pictures."""
    return None if packet.pts is None else float(packet.pts)


def packet_row(packet: Packet, names: Sequence[str]) -> dict[str, Any]:
    """One row of a packet.

    ``source``, ``index`` and ``pts`` (seconds, null for pictures), then every result under its id: a list of objects
    for detections, otherwise what the result says of itself; null where the stage did not run. ``session`` and
    ``variant`` appear where they are not 0. ``canvas`` appears where coordinates are not those of the source frame:
    the width and height of the picture they belong to, by id.
    """
    key = packet.key
    row: dict[str, Any] = {"source": key.source, "index": key.index, "pts": seconds(packet)}
    row |= {name: value for name, value in (("session", key.session), ("variant", key.variant)) if value}
    canvases = {}
    for name, value in results_of(packet, names):
        found, canvas = lifted(value)
        row[name] = plain_result(found)
        if canvas is not None:
            canvases[name] = list(canvas)
    return row | {"canvas": canvases} if canvases else row


def gap_row(gap: Gap) -> dict[str, Any]:
    """The row of a time without frames: ``event`` "gap", when it began, how many seconds it took, and why.

    ``session`` is that of the frames after it: no track goes on across a gap.
    """
    row = {"source": gap.info.name, "index": gap.index, "pts": float(gap.pts), "session": gap.session}
    return {**row, "event": "gap", "seconds": round(gap.seconds, 3), "reason": gap.reason}


def plain_result(value: Any) -> Any:
    """A result as JSON knows it."""
    if value is ABSENT or value is None:
        return None
    if isinstance(value, Detections):
        return value.to_dicts()
    return value.to_dict() if hasattr(value, "to_dict") else plain(value)


def to_json(value: Any) -> str:
    """One line of JSON. Bytes of a file name that are not UTF-8 stay, escaped as Python reads them back."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, default=_other)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _other(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    found = plain(value)
    return found if not isinstance(found, type(value)) else str(value)


def item_rows(value: Any) -> Iterator[dict[str, Any]]:
    """One flat dict for each object, label, line of text, segment or event of a result that was lifted."""
    if isinstance(value, Detections):
        for i, row in enumerate(value.to_dicts()):
            row |= dict(zip(("x1", "y1", "x2", "y2"), row.pop("box"), strict=True))
            yield {**row, "item": i}
        return
    found = plain_result(value)
    items = _items(found)
    for i, item in enumerate(items):
        yield {**_flat(item), "item": i}


def _items(found: Any) -> list[Any]:
    if isinstance(found, Mapping) and len(found) == 1:
        only = next(iter(found.values()))
        if isinstance(only, list):
            return only
    return [] if found is None else [found]


def _flat(item: Any) -> dict[str, Any]:
    if isinstance(item, Mapping):
        row = dict(item)
        outline = row.get("polygon")
        if outline and "x1" not in row:
            xs, ys = zip(*outline, strict=True)
            row |= {"x1": min(xs), "y1": min(ys), "x2": max(xs), "y2": max(ys)}
        return row
    if isinstance(item, list) and len(item) == 4:
        return dict(zip(("x1", "y1", "x2", "y2"), item, strict=True))
    return {"value": item}
