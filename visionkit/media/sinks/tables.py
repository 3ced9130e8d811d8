"""What JSONL and CSV have in common: one file for all sources or one for each, appended line by line."""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import Field

from visionkit.data import Packet
from visionkit.errors import SinkError
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.own import Own
from visionkit.media.sinks.part import finish, part_of, writing
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import Gap, SourceInfo


class TableParams(SinkParams):
    path: paths.SourcePath = Field(
        Template.parse("results.txt"),
        description="The table, below the output folder. Without a placeholder one for all sources; with one, such as "
        "{source.stem}, one for each.",
    )


T = TypeVar("T", bound=TableParams)


class Table:
    """A text file that grows by whole lines under ``.part``; a killed run keeps every line (a flush takes 2 µs)."""

    def __init__(self, path: Path, head: str = "", resume: bool = False) -> None:
        self.path = path
        self.failed = False
        self.size = 0
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = part_of(path).open("ab" if resume else "wb")
            self.size = self._file.tell()
        if not self.size:
            self.append(head)

    def append(self, text: str | bytes) -> None:
        data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else text
        try:
            with writing(self.path):
                self._file.write(data)
                self._file.flush()
            self.size += len(data)
        except SinkError:
            self.failed = True
            raise

    def settle(self) -> bool:
        """Close the part, which keeps its name; False if writing had failed."""
        try:
            with writing(self.path):
                self._file.close()
        except SinkError:
            if not self.failed:
                raise
        return not self.failed

    def close(self, whole: bool = True) -> Path | None:
        """Give it its name; None where rows are missing: then the part stays."""
        if not (self.settle() and whole):
            return None
        finish(self.path)
        return self.path


class TableSink(Sink[T]):
    """Base of outputs that write lines."""

    def __init__(self, params: T) -> None:
        super().__init__(params)
        self._lock = threading.Lock()
        self._tables: dict[Path, Table] = {}
        self._finished: list[Path] = []

    @abstractmethod
    def text(self, packet: Packet, source: SourceInfo) -> str:
        """The lines of a packet, each with its newline."""

    def gap_text(self, gap: Gap) -> str:
        """The lines that tell of a time without frames; empty where the format has no place for them."""
        return ""

    def head(self) -> str:
        """What comes first in each table."""
        return ""

    @property
    def is_single(self) -> bool:
        return not self.params.path.names

    def path_of(self, source: SourceInfo) -> Path:
        if self.is_single:
            return self._out / paths.safe(self.params.path.text, "the table")
        return self._out / paths.rendered(self.params.path, source)

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        self._configure(context)
        if not self.is_single:
            help = 'use a placeholder that tells them apart, e.g. "{source.relpath}"'
            paths.check_paths(context.out, context.overwrite, sources, self.path_of, help)
        elif self._single.exists():
            paths.refuse_existing([self._single], context.overwrite or context.resume)

    def open(self, context: SinkContext) -> None:
        self._configure(context)
        if self.is_single:  # there from the start, so that no result is an empty table
            self._tables[self._single] = Table(self._single, self.head(), context.resume)

    def _configure(self, context: SinkContext) -> None:
        self._out = context.out
        self._names = context.names
        self._own = Own(context)
        if self.is_single:
            self._single = self._out / paths.safe(self.params.path.render({}), "the table")

    def checkpoint(self) -> dict[str, int]:
        if not self.is_single:
            return {}
        table = self._tables.get(self._single)
        return {self.shared: table.size if table else 0}

    @cached_property
    def shared(self) -> str:
        """The path of the one table below the output folder."""
        return self._single.relative_to(self._out).as_posix()

    def prepare(self, packet: Packet, source: SourceInfo) -> str:
        return "" if packet.is_tombstone else self.text(packet, source)

    def write(self, packet: Packet, source: SourceInfo, prepared: Any) -> None:
        if not packet.is_tombstone or prepared:
            self._append(prepared, self._place(source))

    def join(self, tables: Mapping[str, bytes]) -> None:
        if self.is_single and (lines := tables.get(self.shared)):
            self._append(lines, self._single)

    def gap(self, gap: Gap, source: SourceInfo) -> None:
        if text := self.gap_text(gap):
            self._append(text, self._place(source))

    def _place(self, source: SourceInfo) -> Path:
        return self._single if self.is_single else self.path_of(source)

    def _append(self, text: str | bytes, path: Path) -> None:
        with self._lock:
            if path not in self._tables:
                self._tables[path] = Table(path, self.head())
            if text:
                self._tables[path].append(text)

    def end(self, source: SourceInfo) -> None:
        if not self.is_single:
            with self._lock:
                table = self._tables.pop(self.path_of(source), None)
            self._close(table)

    def files(self) -> list[str]:
        return self._own.taken()

    def close(self, aborted: bool) -> list[Path]:
        while self._tables:
            self._close(self._tables.popitem()[1], not aborted)
        return self._finished

    def _close(self, table: Table | None, whole: bool = True) -> None:
        if table is not None and (path := table.close(whole)) is not None:
            self._finished.append(path)
            if not self.is_single:
                self._own.add(path)
