"""Runs on files that can be gone on with: what an earlier run did is kept, the rest is done."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Protocol
from zlib import crc32

from visionkit.errors import SinkError, UsageError
from visionkit.frozen import Frozen
from visionkit.pipeline.plan import Plan
from visionkit.runtime.content import content_of
from visionkit.runtime.cut import cut_back, settle, sizes_of, unfinish
from visionkit.runtime.manifest import Manifest, Row, discard, manifest_path, now, text
from visionkit.runtime.metrics import RunSummary
from visionkit.runtime.outlets import Outlet
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import Source, SourceInfo
from visionkit.stage.stamp import Stamp


class BatchOptions(Frozen):
    """How a run treats what an earlier one left in its folder.

    Attributes:
        resume: go on where it stopped; otherwise existing results are an error.
        retry_failed: do inputs that failed once more.
        shard: (i, n): only the i-th of n parts of the inputs, counted from 1; a part holds the same files in every run.
        keep: write a manifest.
        engine: "local", or "ray" for a cluster; ``address`` of it, otherwise one is made on this machine.
    """

    resume: bool = True
    retry_failed: bool = False
    shard: tuple[int, int] | None = None
    keep: bool = True
    engine: Literal["local", "ray"] = "local"
    address: str = ""

    def takes(self, info: SourceInfo) -> bool:
        """Whether an input belongs to the shard."""
        return self.shard is None or crc32(text(info.name).encode()) % self.shard[1] == self.shard[0] - 1


class FileLane(Source, Protocol):
    """What is asked of a source of files."""

    def fingerprint(self, index: int) -> Stamp:
        """What a look at the file says."""

    def reading(self, index: int) -> str:
        """How it is read, where that changes its frames; empty for a picture."""

    def choose(self, indices: Sequence[int], frames_done: int = 0) -> None:
        """Take these inputs alone; so many frames count towards the limit already."""

    def part(self, indices: Sequence[int]) -> Source:
        """A source of these inputs alone, for another process."""

    def at_most(self) -> int | None:
        """How many frames a run takes."""


class Batch:
    """The work of one run on a lane of files.

    Attributes:
        continued: an earlier run is gone on with; ``resumed``: it had opened its outputs already.
        indices: of the inputs that are to be done.
        todo: how many inputs are to be done; ``skipped`` were done before, of which ``failed`` failed.
    """

    def __init__(self, lane: FileLane, out: Path, plan: Plan, options: BatchOptions) -> None:
        self.lane, self._out, self._plan, self._options = lane, out, plan, options
        infos = lane.infos or ()
        every = range(len(infos))
        chosen = every if options.shard is None else [i for i in every if options.takes(infos[i])]
        self._chosen: Sequence[int] = chosen[: lane.at_most()]
        self._hash, self._signature = plan.hash, _signature(plan, options)
        self.resumed = self.continued = False
        self.indices: Sequence[int] = ()
        self.skipped = self.failed = 0
        self._open: Manifest | None = None

    @property
    def manifest(self) -> Manifest:
        """Open from :meth:`begin` to :meth:`close`."""
        assert self._open is not None
        return self._open

    def begin(self, outlets: Sequence[Outlet], context: SinkContext) -> None:
        """Decide what is to be done, and make the folder ready for it.

        Raises:
            SinkError: results are there that are not those of this pipeline.
            UsageError: another run writes there at this moment, or there is nothing in this shard.
        """
        if not self._chosen:
            raise UsageError("there is no input in this shard")
        if not context.overwrite and self._options.resume and manifest_path(self._out).exists():
            self._open = Manifest(self._out)
            if self.manifest.get("signature") == self._signature:
                return self._go_on(outlets, context)
            self._open.close()
        return self._start(outlets, context)

    def _start(self, outlets: Sequence[Outlet], context: SinkContext) -> None:
        try:
            self._check(outlets, context, self._chosen)
        except SinkError as error:
            if "already" in error.message and manifest_path(self._out).exists() and self._options.resume:
                error.message += (
                    "\nof another pipeline, other outputs or another shard: this run cannot go on with them"
                )
            raise
        discard(self._out)
        self._open = Manifest(self._out)
        media = [node.params.path.text for node in self._plan.outputs if node.name == "media"]  # type: ignore[attr-defined]
        self.manifest.put(map(self._pending, self._chosen), signature=self._signature, begun=now(), media=media)
        self._choose(self._chosen, 0)

    def _check(self, outlets: Sequence[Outlet], context: SinkContext, indices: Sequence[int]) -> None:
        for outlet in outlets:
            outlet.sink.check(replace(context, names=outlet.names), _Part(self.lane, indices))

    def _go_on(self, outlets: Sequence[Outlet], context: SinkContext) -> None:
        heads = self.manifest.get("heads")
        self.continued = True
        self.resumed = heads is not None  # otherwise no output had been opened
        settle(self.manifest, self._out)
        names = list(heads or {})
        sizes = sizes_of(self._out, names)
        todo, fresh, redone, renewed, frames = [], [], set(), [], 0
        for index in self._chosen:
            name = self._infos[index].name
            row = self.manifest.row(name)
            wanted = self._pending(index, row)
            self._refuse_other(row, wanted)
            if row is not None and self._is_done(row, wanted, sizes):
                if (row.mtime, row.changed) != (wanted.mtime, wanted.changed):
                    renewed.append((wanted.name, Stamp(wanted.size, wanted.mtime, wanted.changed)))
                frames += row.frames
                self.failed += row.state == "failed"
                continue
            todo.append(index)
            if row is None:
                fresh.append(index)
            redone.add(wanted.name)
        self.skipped = len(self._chosen) - len(todo)
        self._check(outlets, replace(context, overwrite=True, resume=True), todo)
        self._check(outlets, replace(context, resume=True), fresh)
        unfinish(self._out, names)
        self.manifest.renew(renewed)
        cut_back(self.manifest, self._out, sizes, lambda row: row.name not in redone)
        self.manifest.put(self._pending(index, self.manifest.row(self._infos[index].name)) for index in todo)
        self._choose(todo, frames)

    def end(self, summary: RunSummary) -> None:
        """The run has come to its end: what the report says of it."""
        nodes = [(node.name, node.seconds, node.items) for node in summary.nodes]
        ran = {"ended": now(), "seconds": summary.seconds, "nodes": nodes}
        self.manifest.set(runs=[*self.manifest.get("runs", []), ran])

    def _refuse_other(self, row: Row | None, wanted: Row) -> None:
        """Raises SinkError where a result of the same name was made from another file, or from other frames of it."""
        if row is None or (row.path, row.plan) == (wanted.path, wanted.plan):
            return
        message = f"{self._out} holds results of {row.path}, not of {wanted.path}"
        if row.path == wanted.path:
            message = f"{self._out} holds results of {row.name} that was read otherwise (--from, --to, --fps, ...)"
        raise SinkError(message, help="choose another folder with -o, or add --overwrite")

    def _is_done(self, row: Row, wanted: Row, sizes: Mapping[str, int]) -> bool:
        if row.state == "pending" or (row.state == "failed" and self._options.retry_failed):
            return False
        if not (_is_same(row, wanted) and all(end <= sizes.get(name, 0) for name, end in row.ends.items())):
            return False
        return all(os.path.lexists(self._out / name) for name in row.outputs)

    @property
    def todo(self) -> int:
        return len(self.indices)

    @property
    def note(self) -> str:
        """What the user reads of inputs that an earlier run did."""
        failed = f", {self.failed} of them failed (--retry-failed tries them again)" if self.failed else ""
        return f"{self.skipped} inputs were done by an earlier run{failed}"

    @property
    def _infos(self) -> Sequence[SourceInfo]:
        return self.lane.infos or ()

    def _choose(self, todo: Sequence[int], frames_done: int) -> None:
        self.lane.choose(todo, frames_done)
        self.indices = todo

    def _pending(self, index: int, before: Row | None = None) -> Row:
        """The row of an input as it is now, not done yet; ``before`` is the one that the manifest has."""
        info = self._infos[index]
        size, mtime, changed = self.lane.fingerprint(index)
        plan = f"{self._hash} {self.lane.reading(index)}".strip()
        path = info.path or info.name
        if "://" not in path:
            path = os.path.abspath(path)  # noqa: PTH100  a third of the time, for every input
        attempts = before.attempts if before else 0
        return Row(text(info.name), text(path), size, mtime, plan, attempts=attempts, changed=changed)

    def close(self) -> None:
        if self._open is not None:
            self._open.close()


def _is_same(row: Row, wanted: Row) -> bool:
    """Whether a file is the one that was read; only where its times leave a doubt is it read."""
    if row.same_input(wanted) and row.changed in (None, wanted.changed):
        return True
    if row.content is None or (row.size, row.plan) != (wanted.size, wanted.plan):
        return row.same_input(wanted)
    found = content_of(wanted.path)
    return found is not None and found[1] == row.content


class _Part(Sequence[SourceInfo]):
    """Some infos of a lane, made when asked for."""

    def __init__(self, lane: FileLane, indices: Sequence[int]) -> None:
        self._infos, self._indices = lane.infos or (), indices

    def __len__(self) -> int:
        return len(self._indices)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._infos[i] for i in self._indices[index]]
        return self._infos[self._indices[index]]


def _signature(plan: Plan, options: BatchOptions) -> str:
    """What has to be equal for results to lie side by side: what is computed, the outputs, the shard."""
    outputs = [
        [
            node.id,
            node.name,
            node.params.model_dump(mode="json"),
            list(node.values),
            node.when and node.when.expression.text,
        ]
        for node in plan.outputs
    ]
    return json.dumps([plan.hash, outputs, options.shard], default=str)
