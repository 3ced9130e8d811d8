"""A worker: one engine that lives as long as the worker does, fed with pieces, writing into a folder of its own."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from visionkit.errors import UsageError
from visionkit.lazy import np
from visionkit.runtime.checks import outlets_of
from visionkit.runtime.cut import part_of
from visionkit.runtime.distributed.piece import Setup, Written
from visionkit.runtime.engine import Engine
from visionkit.runtime.lanes import Totals
from visionkit.runtime.ledger import Ledger
from visionkit.runtime.lock import locked, remove_abandoned
from visionkit.runtime.manifest import FOLDER, Finished, text
from visionkit.runtime.outlets import Outlet
from visionkit.runtime.threads import keep_memory, limit_threads
from visionkit.runtime.token import Token
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import END, End, Frame, Gap, Source, SourceInfo

PREFIX = "visionkit-worker-"


class Worker:
    """Runs pieces, several at a time so that the engine never runs dry; what it writes is handed back.

    Raises:
        UsageError: visionkit is of another version here.
        VisionkitError: a stage cannot be opened, or a packet failed with ``on_error: stop``.
    """

    def __init__(self) -> None:
        self._error: BaseException | None = None
        self._jobs: deque[_Job] = deque()  # as they are in the queue, until they are done
        self._order = threading.Lock()
        self.begun = threading.Event()

    def start(self, setup: Setup) -> None:
        """Opens all stages; returns once pieces can be taken."""
        if setup.version != version("visionkit"):
            raise UsageError(f"a worker has visionkit {version('visionkit')}, the run {setup.version}")
        if setup.folder.is_dir():
            os.chdir(setup.folder)
        self._leaves = setup.scratch is not None and setup.node == platform.node() and setup.scratch.is_dir()
        if not self._leaves:  # who sent the work does not reach what a killed one left here
            remove_abandoned(Path(tempfile.gettempdir()), f"{PREFIX}*")
        self._folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=setup.scratch if self._leaves else None))
        self._lock = locked(self._folder)
        self._out = self._folder / "out"
        self._pieces = 0
        self._name = f"{platform.node()}:{os.getpid()}"
        self._queue = _Queue(self)
        self._hub = setup.hub()
        self._engine = _Engine(setup.plan, setup.settings, self._hub.context)
        limit_threads(setup.plan, setup.settings.worker_count, setup.cores)
        keep_memory()
        outlets = outlets_of(setup.plan)
        self._tally = _Tally(_Records(self), outlets)
        context = SinkContext(self._out, True, plan_hash=setup.plan.hash, settings=setup.for_outputs, keep=True)
        self._thread = threading.Thread(target=self._run, args=([*outlets, self._tally], context), daemon=True)
        self._thread.start()
        self.begun.wait()
        self._raise()

    def _run(self, outlets: Sequence[Outlet], context: SinkContext) -> None:
        try:
            self._engine.run([self._queue], outlets, context)
        except BaseException as error:
            self._error = error
        finally:
            self.begun.set()
            for job in list(self._jobs):
                job.done.set()

    def run(self, source: Source) -> Written:
        """What becomes of a piece; safe from several threads, pieces are done in the order of their calls."""
        job = _Job(source)
        with self._order:
            self._jobs.append(job)
            self._queue.put(job)
        while not job.done.wait(1.0) and self._thread.is_alive():
            pass
        self._raise()
        if job.written is None:
            raise UsageError("the worker was closed")
        return job.written

    def close(self) -> None:
        """Ends the engine; unfinished pieces are lost."""
        self._engine.abort(UsageError("the worker was closed"))
        self._thread.join()
        self._hub.close()
        self._lock.close()
        shutil.rmtree(self._out if self._leaves else self._folder, ignore_errors=True)

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    @property
    def stopping(self) -> bool:
        """True once no more frames are wanted."""
        return self._engine.stopping

    def nothing(self, job: _Job) -> None:
        """A piece without a single frame."""
        self._jobs.remove(job)
        job.written = Written((), {}, {}, {}, Totals())
        job.done.set()

    def collect(self, rows: Iterable[Finished], heads: dict[str, int]) -> None:
        """Inputs were finished; called on the thread that writes, so that files and tables stand still."""
        for row in rows:
            job = self._jobs[0]
            job.rows.append(row)
            if job.is_complete:
                job.written = self._written(job, heads)
                heads.update(row.ends)
                self._jobs.popleft()
                job.done.set()

    def _written(self, job: _Job, starts: dict[str, int]) -> Written:
        ends = job.rows[-1].ends if job.rows else {}
        counts, failures = self._tally.taken()
        return Written(
            tuple(job.rows),
            {name: starts.get(name, 0) for name in ends},
            {name: _span(self._out / name, starts.get(name, 0), end) for name, end in ends.items()},
            dict(self._files()),
            counts,
            failures,
            self._name,
            self._engine.times,
            self._engine.notes,
        )

    def _files(self) -> Iterator[tuple[str, Any]]:
        """Files under their final names; they are not there any more then."""
        self._pieces += 1
        for folder, below, names in os.walk(self._out):
            below[:] = [name for name in below if name != FOLDER]
            for path in (Path(folder, name) for name in names if not name.endswith(".part")):
                name = path.relative_to(self._out).as_posix()
                if self._leaves:
                    yield name, _moved(path, self._folder / str(self._pieces) / name)
                else:
                    yield name, np.fromfile(path, np.uint8)
                    path.unlink()


def _moved(path: Path, to: Path) -> Path:
    try:
        return path.rename(to)
    except FileNotFoundError:  # the first of its folder
        to.parent.mkdir(parents=True)
        return path.rename(to)


def _span(path: Path, start: int, end: int) -> bytes:
    """Lines that were appended to a table, which is still being written."""
    if start == end:
        return b""
    with part_of(path).open("rb") as file:
        file.seek(start)
        return file.read(end - start)


class _Engine(Engine):
    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)


class _Job:
    """A piece in work. ``last``: the last of its inputs, once all of them were read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.done = threading.Event()
        self.rows: list[Finished] = []
        self.written: Written | None = None
        self.last: str | None = None

    @property
    def is_complete(self) -> bool:
        return self.rows[-1].name == self.last


class _Queue:
    """The source of a worker: what the pieces' own sources yield, one after the other."""

    name, live = "pieces", False
    infos: Sequence[SourceInfo] | None = None

    def __init__(self, worker: Worker) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._worker = worker

    def put(self, job: _Job) -> None:
        self._jobs.put(job)

    def _next(self) -> _Job | None:
        """What comes next; None once the worker stops."""
        while not self._worker.stopping:
            with suppress(Empty):
                return self._jobs.get(timeout=0.2)
        return None

    def frames(self) -> Iterator[Frame | Gap | End]:
        self._worker.begun.set()
        while (job := self._next()) is not None:
            last: Frame | Gap | None = None
            for frame in job.source.frames():
                last = frame if not isinstance(frame, End) else last
                yield frame
            if last is None:
                self._worker.nothing(job)
            else:
                job.last = text(last.info.name)
                yield END


class _Records:
    """Takes a ledger's rows for a worker; there is nothing to be gone on with."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._ends: dict[str, int] = {}

    def get(self, name: str, default: Any = None) -> Any:
        return default

    def set(self, **facts: Any) -> None:
        self._ends = dict(facts["heads"])

    def finish(self, rows: Iterable[Finished]) -> None:
        self._worker.collect(rows, self._ends)

    def last_position(self) -> int:
        return 0


class _Tally(Ledger):
    """A ledger that hands every row on at once, and counts."""

    def __init__(self, records: _Records, outlets: Sequence[Outlet]) -> None:
        super().__init__(records, outlets, period=0)
        self._counts, self._objects = Totals(), 0

    def seen(self, token: Token) -> None:
        super().seen(token)
        failed = int(token.failure is not None)
        received, out, dropped, before = self._counts
        self._counts = Totals(received + 1, out + 1 - failed, dropped, before + failed)
        self._objects += len(token.failures or ())

    def taken(self) -> tuple[Totals, int]:
        """Counts since they were last asked for."""
        found = self._counts, self._objects
        self._counts, self._objects = Totals(), 0
        return found
