"""``--engine ray``: the plan runs on the actors of a cluster, over the same manifest and into the same outputs."""

from __future__ import annotations

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from time import perf_counter

from visionkit.data import Failure
from visionkit.errors import StageError, UsageError
from visionkit.pipeline.plan import Plan
from visionkit.runtime.batch import Batch
from visionkit.runtime.context import RunSettings
from visionkit.runtime.distributed.connect import cluster
from visionkit.runtime.distributed.dispatch import LIVES, Dispatch
from visionkit.runtime.distributed.joiner import Joiner
from visionkit.runtime.distributed.piece import Hub, Piece, Setup, Written, cut
from visionkit.runtime.distributed.pool import Pool
from visionkit.runtime.distributed.share import Share, share_of
from visionkit.runtime.engine import Engine
from visionkit.runtime.feeders import READ
from visionkit.runtime.lanes import LaneCounts
from visionkit.runtime.ledger import keep_heads
from visionkit.runtime.manifest import FOLDER, SCRATCH
from visionkit.runtime.metrics import Meter, RunSummary
from visionkit.runtime.outlets import Outlet, OutletSegment
from visionkit.stage.sink import SinkContext


class RayEngine(Engine):
    """An engine whose packets are elsewhere: pieces go out, results come back and are written in the inputs' order.

    Args:
        plan: what to run.
        settings: how; ``workers`` are the processors of each actor.
        hub: makes a worker's hub of networks.
        address: of a Ray cluster; empty for one made here.
    """

    def __init__(self, plan: Plan, settings: RunSettings, hub: Callable[[], Hub], address: str = "") -> None:
        super().__init__(plan, settings, opener=lambda id_, note: None)
        self._hub = hub
        self._address = address
        self._of_workers: dict[tuple[str, str], Meter] = {}
        self._clock = perf_counter()

    def run_batch(self, work: Batch, outlets: Sequence[Outlet], context: SinkContext) -> RunSummary:
        """Run what ``work`` has to do.

        Raises:
            UsageError: it cannot be cut into pieces, or the cluster cannot be used.
            VisionkitError: an output failed, a stage could not be opened, or a packet failed with ``on_error: stop``.
        """
        _refuse(work)
        self.lanes = (LaneCounts(work.lane),)
        with cluster(self._address) as ray, _scratch(context.out) as scratch:
            share = share_of(ray, self.plan, self.settings)
            count = max(1, min(share.most, work.todo))
            pool = Pool(ray, self._setup(share, context, scratch), count, share.needs)
            try:
                results = self._written(pool, count, work, outlets, context)
                seconds = perf_counter() - self._clock  # nor is ending them
            finally:
                pool.close()
        if self._error is not None:
            raise self._error
        return self._summary(seconds, results)

    def _setup(self, share: Share, context: SinkContext, scratch: Path) -> Setup:
        settings = replace(self.settings, workers=share.cores, device=share.device)
        here = (Path.cwd(), version("visionkit"), context.settings, scratch, platform.node())
        return Setup(self.plan, settings, self._hub, share.cores, *here)

    def _written(
        self, pool: Pool, count: int, work: Batch, outlets: Sequence[Outlet], context: SinkContext
    ) -> list[Path]:
        """All pieces, written; the outputs are closed whatever happens."""
        end = OutletSegment(self, outlets, lambda tokens: None)
        joiner = Joiner(work.manifest, outlets, context.out)
        results: list[Path] = []
        try:
            end.open(context)
            keep_heads(work.manifest, [outlet.sink for outlet in outlets])
            self._join(Dispatch(pool, _pieces(work, count), work.lane.part), joiner, work)
        except BaseException as error:
            self.abort(error)
        finally:
            results = end.close(self.aborting)
        return [*joiner.files, *results]

    def _join(self, dispatch: Dispatch, joiner: Joiner, work: Batch) -> None:
        infos = work.lane.infos or ()
        for piece, written in dispatch.results(self._stopping):
            self._clock = dispatch.began or self._clock  # starting workers is no work on pictures
            if isinstance(written, Written):
                joiner.join(written)
                self._book(written)
            else:
                text = f"{LIVES} workers died of it, the last one so: {written}"
                joiner.give_up(infos[piece.indices[0]], Failure("worker", StageError.code, text))
                self.lanes[0].book(received=1, failed=1)

    def _book(self, written: Written) -> None:
        received, out, dropped, failed = written.counts
        self.lanes[0].book(received, out, dropped, failed)
        self.object_failures += written.object_failures
        for node in (node for node in written.times if node.name != READ):  # a worker's source waits for pieces
            key = (written.worker, node.name)
            meter = self._of_workers.get(key) or self._of_workers.setdefault(key, self.meter(node.name))
            meter.ns, meter.calls, meter.items = round(node.seconds * 1e9), node.calls, node.items
        for note in written.notes:
            self.note(note)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A folder for workers' files until they are moved."""
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=out / FOLDER)).absolute()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _pieces(work: Batch, workers: int) -> Iterator[Piece]:
    infos = work.lane.infos or ()
    parts = cut(work.indices, lambda index: infos[index].kind == "image", workers)
    return (Piece(number, tuple(indices)) for number, indices in enumerate(parts))


def _refuse(work: Batch) -> None:
    """Raises UsageError where a piece would have to know of others."""
    infos = work.lane.infos or ()
    if work.lane.at_most() is not None and any(infos[index].kind != "image" for index in work.indices):
        help = "leave --limit out, or run with --engine local"
        raise UsageError("--limit counts frames of videos one after the other, which a cluster does not do", help=help)
