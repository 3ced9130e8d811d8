"""Outputs that are one document: lines while the run goes on, put together at its end, never in memory whole."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from visionkit.data import Packet
from visionkit.media.sinks import paths
from visionkit.media.sinks.own import Own
from visionkit.media.sinks.part import finish, part_of, writing
from visionkit.media.sinks.tables import TableParams, TableSink
from visionkit.stage.sink import OWN_FOLDER, SinkContext
from visionkit.stage.source import SourceInfo

T = TypeVar("T", bound=TableParams)


class SpoolSink(TableSink[T]):
    """Base of outputs whose file can only be written as a whole.

    Rows are kept as lines below ``.visionkit``, also afterwards where a later run may go on: it needs the earlier ones.
    """

    @abstractmethod
    def assemble(self, rows: Path, target: Path) -> None:
        """Write ``target`` from the lines in ``rows``, one after the other; may read them several times."""

    @property
    def final(self) -> Path:
        """The document."""
        return self._out / paths.safe(self.params.path.text, "the document")

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        self._configure(context)
        if self.final.exists():
            paths.refuse_existing([self.final], context.overwrite or context.resume)

    def _configure(self, context: SinkContext) -> None:
        self._out = context.out
        self._names = context.names
        self._keep = context.keep
        self._own = Own(context)
        self._single = context.out / OWN_FOLDER / f"{self.params.path.text.replace('/', '_')}.rows"

    def open(self, context: SinkContext) -> None:
        super().open(context)
        with writing(self.final):
            if not (context.resume and self.final.exists() and _is_newer(self.final, part_of(self._single))):
                self.final.unlink(missing_ok=True)

    def write(self, packet: Packet, source: SourceInfo, prepared: Any) -> None:
        if prepared:
            with writing(self.final):  # what an earlier run made lacks what comes now
                self.final.unlink(missing_ok=True)
        super().write(packet, source, prepared)

    def join(self, tables: Mapping[str, bytes]) -> None:
        if tables.get(self.shared):
            with writing(self.final):
                self.final.unlink(missing_ok=True)
        super().join(tables)

    def close(self, aborted: bool) -> list[Path]:
        table = self._tables.pop(self._single, None)
        if table is None or not table.settle() or aborted:
            return []
        if self.final.exists():
            self._settle_rows()
            return [self.final]
        part = part_of(self.final)
        with writing(self.final):
            part.parent.mkdir(parents=True, exist_ok=True)
            try:
                self.assemble(part_of(self._single), part)
            except OSError:
                with suppress(OSError):
                    part.unlink()
                raise
        self._settle_rows()
        finish(self.final)
        return [self.final]

    def _settle_rows(self) -> None:
        with writing(self._single):
            if self._keep:
                part_of(self._single).replace(self._single)
                return
            part_of(self._single).unlink()
            with suppress(OSError):  # others may have theirs there still
                self._single.parent.rmdir()


def _is_newer(path: Path, other: Path) -> bool:
    return path.stat().st_mtime_ns >= other.stat().st_mtime_ns


def lines(rows: Path) -> Iterator[dict[str, Any]]:
    """The rows, one at a time."""
    with rows.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)
