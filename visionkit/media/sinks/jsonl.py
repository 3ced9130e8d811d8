"""``jsonl``: one line of JSON for every packet."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Packet
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.rows import gap_row, packet_row, to_json
from visionkit.media.sinks.tables import TableParams, TableSink
from visionkit.stage.source import Gap, SourceInfo


class JsonlParams(TableParams):
    path: paths.SourcePath = Field(
        Template.parse("results.jsonl"),
        description="The table, below the output folder. Without a placeholder one for all sources; with one, such as "
        "{source.stem}.jsonl, one for each.",
    )


class JsonlSink(TableSink[JsonlParams]):
    """Every result of every packet as a line of JSON; see :func:`visionkit.media.sinks.rows.packet_row`.

    A time without frames of a live source is a line with ``"event": "gap"``.
    """

    def text(self, packet: Packet, source: SourceInfo) -> str:
        return to_json(packet_row(packet, self._names)) + "\n"

    def gap_text(self, gap: Gap) -> str:
        return to_json(gap_row(gap)) + "\n"
