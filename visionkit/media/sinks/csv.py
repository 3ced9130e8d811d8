"""``csv``: one row for every object, label, line of text, segment or event."""

from __future__ import annotations

import csv
import io
from typing import Any

from pydantic import Field

from visionkit.data import ABSENT, Packet
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.rows import gap_row, item_rows, lifted, results_of, seconds, to_json
from visionkit.media.sinks.tables import TableParams, TableSink
from visionkit.stage.source import Gap, SourceInfo

WHERE = ("source", "index", "pts", "result", "item")
WHAT = ("class_name", "score", "x1", "y1", "x2", "y2", "track_id", "text")


class CsvParams(TableParams):
    path: paths.SourcePath = Field(
        Template.parse("results.csv"),
        description="The table, below the output folder. Without a placeholder one for all sources; with one, such as "
        "{source.stem}.csv, one for each.",
    )
    columns: tuple[str, ...] = Field((), description="Further fields with a column of their own, such as plate.text.")


class CsvSink(TableSink[CsvParams]):
    """Results as a flat table that spreadsheets read.

    The columns are always ``source, index, pts, result, item, class_name, score, x1, y1, x2, y2, track_id, text``,
    those asked for in ``columns``, and ``more``: everything else as JSON. ``result`` is the id, ``item`` counts within
    the result. Coordinates are source-frame pixels; where a result has no place in the frame, ``more`` has its
    ``canvas``. A packet without results has no row. A time without frames of a live source is a
    row with the result ``gap``.
    """

    def head(self) -> str:
        return _line([*WHERE, *WHAT, *self.params.columns, "more"])

    def text(self, packet: Packet, source: SourceInfo) -> str:
        lines = []
        for name, value in results_of(packet, self._names):
            if value is ABSENT:
                continue
            found, canvas = lifted(value)
            for row in item_rows(found):
                if canvas is not None:
                    row["canvas"] = list(canvas)
                where = [packet.key.source, packet.key.index, seconds(packet), name, row.pop("item")]
                lines.append(_line([*where, *self._cells(row)]))
        return "".join(lines)

    def gap_text(self, gap: Gap) -> str:
        """The result is called ``gap``; ``more`` has its seconds, reason and session."""
        row = gap_row(gap)
        where = [row.pop("source"), row.pop("index"), row.pop("pts"), row.pop("event"), None]
        return _line([*where, *self._cells(row)])

    def _cells(self, row: dict[str, Any]) -> list[Any]:
        row.pop("class_id", None)
        what = [row.pop(name, None) for name in WHAT]
        own = [_picked(row, name) for name in self.params.columns]
        rest = {name: value for name, value in row.items() if value is not None and name not in self.params.columns}
        return [*what, *own, to_json(rest) if rest else None]


def _picked(row: dict[str, Any], name: str) -> Any:
    """``row["plate.text"]``, or the field of a nested value."""
    if name in row:
        value: Any = row[name]
    else:
        value = row
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    return to_json(value) if isinstance(value, (dict, list)) else value


def _line(cells: list[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
