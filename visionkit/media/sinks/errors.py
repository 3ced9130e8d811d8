"""``errors``: what went wrong with which packet, in ``errors.jsonl``; no file where nothing did."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import Packet
from visionkit.expr import Template
from visionkit.media.redact import redact_text
from visionkit.media.sinks import paths
from visionkit.media.sinks.part import part_of
from visionkit.media.sinks.rows import seconds, to_json
from visionkit.media.sinks.tables import Table, TableParams, TableSink
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import SourceInfo


class ErrorsParams(TableParams):
    path: paths.SourcePath = Field(Template.parse("errors.jsonl"), description="The table, below the output folder.")


class ErrorsSink(TableSink[ErrorsParams]):
    """One line of JSON for every packet that failed: source, path, index, pts, stage, code, message."""

    def open(self, context: SinkContext) -> None:
        self._configure(context)
        part = part_of(self._single)
        if context.resume and part.exists() and part.stat().st_size:
            self._tables[self._single] = Table(self._single, resume=True)
        elif context.resume or context.overwrite:  # of an earlier run: this one may have none
            part.unlink(missing_ok=True)
            self._single.unlink(missing_ok=True)

    def prepare(self, packet: Packet, source: SourceInfo) -> str:
        return self.text(packet, source)

    def text(self, packet: Packet, source: SourceInfo) -> str:
        failure = packet.failure
        if failure is None:
            return ""
        key = packet.key
        row = {"source": key.source, "path": packet.path, "index": key.index, "pts": seconds(packet)}
        row |= {"stage": failure.stage, "code": failure.code, "message": redact_text(failure.message)}
        return to_json(row) + "\n"

    def write(self, packet: Packet, source: SourceInfo, prepared: str) -> None:
        if prepared:
            super().write(packet, source, prepared)
