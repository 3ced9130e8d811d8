"""Writes down which inputs are done, once all outputs have written what belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from visionkit.data import Packet
from visionkit.runtime.content import content_of
from visionkit.runtime.manifest import Finished, text
from visionkit.runtime.outlets import Outlet
from visionkit.runtime.token import Token
from visionkit.stage.sink import Sink, SinkParams
from visionkit.stage.source import SourceInfo
from visionkit.stage.stamp import Stamp

PERIOD = 0.5
"""Seconds of finished work that a killed run may have to do again."""


class Records(Protocol):
    """Where rows go: what is asked of a :class:`~visionkit.runtime.manifest.Manifest`."""

    def get(self, name: str, default: Any = None) -> Any: ...
    def set(self, **facts: Any) -> None: ...
    def finish(self, rows: Iterable[Finished]) -> None: ...
    def last_position(self) -> int: ...


def ends_of(sinks: Iterable[Sink[Any]]) -> dict[str, int]:
    """Bytes in each file that sources share, over all sinks."""
    return {name: size for sink in sinks for name, size in sink.checkpoint().items()}


def keep_heads(records: Records, sinks: Iterable[Sink[Any]]) -> None:
    """Writes down how long tables are without any row, once they are open."""
    heads: Mapping[str, int] = {**ends_of(sinks), **(records.get("heads") or {})}
    records.set(heads=heads)


class Ledger(Outlet):
    """The last of the outlets. ``period``: seconds between two commits."""

    def __init__(self, records: Records, outlets: Sequence[Outlet], period: float = PERIOD) -> None:
        self._book = _Book(records, [outlet.sink for outlet in outlets], period)
        super().__init__("manifest", self._book)

    def packets(self, token: Token) -> list[Packet]:
        """Every packet as it is, and one more for each object that failed."""
        whole = token.packet({})
        return [whole, *(replace(whole, failure=failure) for failure in token.failures or ())]

    def seen(self, token: Token) -> None:
        self._book.work += token.work

    def tell(self, token: Token) -> None:
        if token.whole:
            self._book.done(token.info)


class _Book(Sink[SinkParams]):
    def __init__(self, records: Records, sinks: Sequence[Sink[Any]], period: float) -> None:
        super().__init__(SinkParams())
        self._records, self._sinks, self._period = records, sinks, period
        self._rows: list[Finished] = []
        self._position = records.last_position()
        self._saved = monotonic()
        self._begin()

    def _begin(self) -> None:
        self._frames = self.work = 0
        self._error: str | None = None
        self._indices: set[int] = set()

    def open(self, context: Any) -> None:
        keep_heads(self._records, self._sinks)

    def write(self, packet: Packet, source: SourceInfo, prepared: Any) -> None:
        self._frames += packet.key.index not in self._indices
        self._indices = {packet.key.index}
        if packet.failure is not None and self._error is None:
            self._error = f"{packet.failure.stage}: {packet.failure.message}"

    def done(self, source: SourceInfo) -> None:
        """All of this source is written."""
        self._position += 1
        self._rows.append(self._finished(source))
        self._begin()
        if monotonic() - self._saved >= self._period:
            self._save()

    def _finished(self, source: SourceInfo) -> Finished:
        stamp, content = content_of(source.path or "") or (Stamp(0, 0), None)
        outputs = tuple(name for sink in self._sinks for name in sink.files())
        return Finished(
            text(source.name),
            "failed" if self._error else "done",
            self._frames,
            None if self._error is None else text(self._error),
            self.work / 1e9,
            self._position,
            ends_of(self._sinks),
            stamp,
            content,
            outputs,
        )

    def _save(self) -> None:
        self._records.finish(self._rows)
        self._rows.clear()
        self._saved = monotonic()

    def close(self, aborted: bool) -> list[Path]:
        self._save()
        return []
