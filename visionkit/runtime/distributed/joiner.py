"""Joins what workers wrote: the one place where results of a run on many machines reach the disk."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from visionkit.data import Failure, Key, Packet
from visionkit.errors import SinkError
from visionkit.runtime.cut import part_of
from visionkit.runtime.distributed.piece import Written
from visionkit.runtime.ledger import ends_of
from visionkit.runtime.manifest import Finished, Manifest, named, text
from visionkit.runtime.outlets import Outlet
from visionkit.stage.source import SourceInfo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LISTED = 20


class Joiner:
    """Appends to tables, puts files in their places, and then writes down that the inputs are done."""

    def __init__(self, manifest: Manifest, outlets: Sequence[Outlet], out: Path) -> None:
        self._manifest, self._out = manifest, out
        self._outlets = outlets
        self._sinks = [outlet.sink for outlet in outlets]
        self._position = manifest.last_position()
        self._files: list[Path] = []
        self._count = 0
        self._folders: set[str] = set()

    @property
    def files(self) -> list[Path]:
        """The files that were put in their places, or the folder if there are many."""
        return self._files if self._count <= LISTED else [self._out]

    def join(self, written: Written) -> None:
        """All of a piece, in one commit.

        Raises:
            DiskFullError, SinkError: it cannot be written; the piece counts as not done.
        """
        for name, data in written.files.items():
            self._place(name, data)
        before = ends_of(self._sinks)
        for sink in self._sinks:
            sink.join(written.tables)
        rows = []
        for row in written.rows:
            ends = {name: before.get(name, 0) + end - written.starts.get(name, 0) for name, end in row.ends.items()}
            rows.append(self._numbered(row, ends))
        self._manifest.finish(rows)

    def give_up(self, info: SourceInfo, failure: Failure) -> None:
        """An input that nobody can do: it counts as failed, with a row in the table of errors."""
        packet = Packet(Key(info.name, 0, 0, info.variant), None, info.path, {}, failure)
        for sink in (outlet.sink for outlet in self._outlets if outlet.node is None):
            sink.write(packet, info, sink.prepare(packet, info))
        row = Finished(text(info.name), "failed", 1, text(f"{failure.stage}: {failure.message}"))
        self._manifest.finish([self._numbered(row, ends_of(self._sinks))])

    def _numbered(self, row: Finished, ends: Mapping[str, int]) -> Finished:
        """A worker's row as the manifest of the run has it."""
        self._position += 1
        return row._replace(position=self._position, ends=ends)

    def _place(self, name: str, data: NDArray[np.uint8] | Path) -> None:
        path = self._out / name
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            raise SinkError(f"a worker sent a file {name!r}, which lies outside {self._out}")
        try:
            if str(path.parent) not in self._folders:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._folders.add(str(path.parent))
            if isinstance(data, Path):
                shutil.move(data, part_of(path))  # a folder below may lie on another disk
            else:
                data.tofile(part_of(path))
            part_of(path).replace(path)
            self._count += 1
            self._files += [path][: LISTED - len(self._files)]
        except OSError as error:
            part_of(path).unlink(missing_ok=True)
            raise named(path, error) from error
