"""``parquet``: the rows of ``csv`` with their types, for pandas, Polars and DuckDB."""

from __future__ import annotations

from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from visionkit.data import ABSENT, Packet
from visionkit.expr import Template
from visionkit.lazy import load
from visionkit.media.sinks import paths
from visionkit.media.sinks.rows import gap_row, item_rows, lifted, results_of, seconds, to_json
from visionkit.media.sinks.spool import SpoolSink
from visionkit.media.sinks.tables import TableParams
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import Gap, SourceInfo

COLUMNS = {
    "source": "string",
    "index": "int64",
    "pts": "float64",
    "result": "string",
    "item": "int64",
    "class_name": "string",
    "class_id": "int64",
    "score": "float64",
    "x1": "float64",
    "y1": "float64",
    "x2": "float64",
    "y2": "float64",
    "track_id": "int64",
    "text": "string",
    "more": "string",
}
GROUP = 50_000


class ParquetParams(TableParams):
    path: paths.SourcePath = Field(Template.parse("results.parquet"), description="The table, below the output folder.")


class ParquetSink(SpoolSink[ParquetParams]):
    """One row for every object, label, line of text, segment or event, coordinates in source-frame pixels.

    ``more`` is JSON of everything that has no column. Needs the extra ``data`` (pyarrow).
    """

    def open(self, context: SinkContext) -> None:
        load("pyarrow.parquet")  # before the work, not after it
        super().open(context)

    def text(self, packet: Packet, source: SourceInfo) -> str:
        rows = []
        for name, value in results_of(packet, self._names):
            if value is ABSENT:
                continue
            found, canvas = lifted(value)
            for item in item_rows(found):
                if canvas is not None:
                    item["canvas"] = list(canvas)
                where = {"source": packet.key.source, "index": packet.key.index, "pts": seconds(packet), "result": name}
                rows.append(to_json(where | typed(item)) + "\n")
        return "".join(rows)

    def gap_text(self, gap: Gap) -> str:
        row = gap_row(gap)
        where = {"source": row.pop("source"), "index": row.pop("index"), "pts": row.pop("pts")}
        return to_json({**where, "result": row.pop("event"), "more": to_json(row)}) + "\n"

    def assemble(self, rows: Path, target: Path) -> None:
        arrow, parquet, json = load("pyarrow"), load("pyarrow.parquet"), load("pyarrow.json")
        schema = arrow.schema([(name, getattr(arrow, kind)()) for name, kind in COLUMNS.items()])
        typed = json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
        with parquet.ParquetWriter(str(target), schema, compression="zstd") as writer, rows.open("rb") as file:
            while group := b"".join(islice(file, GROUP)):
                blocks = json.ReadOptions(use_threads=False, block_size=len(group))
                writer.write_table(json.read_json(BytesIO(group), read_options=blocks, parse_options=typed))


def typed(item: dict[str, Any]) -> dict[str, Any]:
    """A row with the columns that have a type, the rest as JSON in ``more``."""
    own = {name: item[name] for name in COLUMNS if item.get(name) is not None and _fits(item[name], COLUMNS[name])}
    rest = {name: value for name, value in item.items() if name not in own and value is not None}
    return {**own, "more": to_json(rest) if rest else None}


def _fits(value: Any, kind: str) -> bool:
    return (
        isinstance(value, str) if kind == "string" else isinstance(value, (int, float)) and not isinstance(value, bool)
    )
