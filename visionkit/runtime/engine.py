"""Runs a plan: sources → chain of segments → outputs, overlapped, in order, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from time import monotonic, perf_counter
from typing import Any

from visionkit.data import ABSENT, Key, Packet
from visionkit.errors import SourceError
from visionkit.pipeline.plan import SOURCE, Plan
from visionkit.runtime.chain import Chain
from visionkit.runtime.context import RunSettings
from visionkit.runtime.credits import Credits
from visionkit.runtime.feeders import Feeder, LiveFeeder
from visionkit.runtime.lanes import LaneCounts, Totals, totals
from visionkit.runtime.metrics import Meter, NodeTime, RunSummary, merge, succeed
from visionkit.runtime.outlets import Outlet, OutletSegment
from visionkit.runtime.placing import sending
from visionkit.runtime.segments import Tokens
from visionkit.runtime.token import Lane, Token
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import Frame, Gap, Source

LIVE_PACKETS = 4
"""Frames of a live source in flight: enough to overlap, few enough to stay fresh."""


class Engine:
    """One run of one plan.

    Args:
        plan: what to run.
        settings: how fast; never what comes out.
        opener: makes the context that a stage gets in ``open``, from its id and a callback for notes.
        on_packet: called in order for each finished packet, with all results by id; may block, which slows the run.
    """

    def __init__(
        self,
        plan: Plan,
        settings: RunSettings,
        opener: Callable[[str, Callable[[str], None]], Any],
        on_packet: Callable[[Packet], None] | None = None,
    ) -> None:
        self.plan = plan
        self.settings = settings
        self.on_error = settings.on_error
        self.aborting = False
        self.object_failures = 0
        self.lanes: tuple[LaneCounts, ...] = ()
        self._opener = opener
        self._on_packet = on_packet
        self._meters: list[Meter] = []
        self._notes: list[str] = []
        self._error: BaseException | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._in_flight = 0
        self._credits: list[Credits] = []
        self._names = [(v.id, v.slot) for v in plan.root.values]
        self._chain: Chain | None = None
        self._end: OutletSegment | None = None
        self._outlets: Sequence[Outlet] = ()
        self._admission = threading.Lock()
        self._lanes: dict[Lane, int] = {}
        self._running = True

    def run(self, sources: Sequence[Source], outlets: Sequence[Outlet], context: SinkContext) -> RunSummary:
        """Run to the end of all sources, or until :meth:`stop`.

        Raises:
            VisionkitError: an output failed, or a packet did with ``on_error: stop``; everything was closed.
        """
        self._outlets = outlets
        end = self._end = OutletSegment(self, outlets, self._finished)
        started = perf_counter()
        results: list[Any] = []
        self._chain = self._new_chain(self.plan)
        self._chain.open()
        try:
            end.open(context)
            self._chain.start(end.put)
            end.start()
            started = perf_counter()
            try:
                self._feed(sources)
            finally:
                with self._admission:  # a swap under way ends first
                    self._chain.stop()
                    self._running = False
                end.stop()
        finally:
            try:
                results = end.close(self.aborting)
            finally:
                self._chain.close()
        if self._error is not None:
            raise self._error
        return self._summary(perf_counter() - started, results)

    def only_close(self, outlets: Sequence[Outlet], context: SinkContext) -> RunSummary:
        """A run without packets: outputs of an earlier run get their final names; no stage is opened."""
        end = OutletSegment(self, outlets, self._finished)
        try:
            end.open(context)
        finally:
            results = end.close(self.aborting)
        return self._summary(0.0, results)

    def swap(self, plan: Plan) -> bool:
        """Go on with another plan from the next packet on; its stages are opened before the old ones stop.

        Outputs stay open: they are fed by the new plan's values of the same name. Stages that remember keep their state
        where they and everything upstream are unchanged.

        Returns:
            False if the run had ended.

        Raises:
            VisionkitError: a new stage could not be opened; the old plan goes on.
        """
        known = len(self._meters)
        chain = self._new_chain(plan)
        chain.open()
        with self._admission:
            if not self._running or self._chain is None:
                chain.close()
                return False
            with self._lock:
                while self._in_flight:
                    self._idle.wait(0.2)
            old = self._chain
            old.stop()
            chain.take_over(old, dict(self._lanes))
            nodes = {node.name: node for node in plan.outputs}
            for outlet in self._outlets:
                if outlet.node is not None and outlet.node.name in nodes:
                    outlet.rebind(nodes[outlet.node.name], plan.hides)
            self._names = [(v.id, v.slot) for v in plan.root.values]
            self.plan, self._chain = plan, chain
            with self._lock:
                self._meters = succeed(self._meters[:known], self._meters[known:])
            assert self._end is not None
            chain.start(self._end.put)
        old.close()
        return True

    def _new_chain(self, plan: Plan) -> Chain:
        sent = sending(plan, self.settings)
        return Chain(
            plan,
            self,
            lambda id_: self._opener(id_, self.note),
            self.settings.worker_count,
            self.settings.batch_size(plan),
            first=[("decode", _decode), *sent],
            in_flight=2 if sent else 1,  # while Python reads one batch's results, the GPU works on the other
            last=[(f"{o.name}:prepare", o.prepare_step(i)) for i, o in enumerate(self._outlets)],
        )

    def stop(self) -> None:
        """Take no more frames, finish what is in flight, close the outputs. Safe from threads and signal handlers."""
        self._stopping.set()
        for credits in self._credits:
            credits.close()

    def abort(self, error: BaseException) -> None:
        """End the run because of ``error``; the first one counts."""
        if self._error is None:
            self._error = error
        self.aborting = True
        self.stop()

    @property
    def totals(self) -> Totals:
        """What was counted up to now."""
        return totals(self.lanes)

    @property
    def stopping(self) -> bool:
        """True once no more frames are wanted."""
        return self._stopping.is_set()

    @property
    def times(self) -> tuple[NodeTime, ...]:
        """Work on each node up to now."""
        with self._lock:
            return merge(self._meters)

    @property
    def waiting(self) -> dict[str, int]:
        """What waits before each segment now, by the segment's name."""
        segments = [*(self._chain.segments if self._chain else ()), *([self._end] if self._end else ())]
        return {segment.name: segment.waiting for segment in segments}

    def meter(self, name: str) -> Meter:
        meter = self.settings.meters(name)
        self._meters.append(meter)
        return meter

    def note(self, message: str) -> None:
        """Something the user should read in the summary."""
        if message not in self._notes:
            self._notes.append(message)

    def _feed(self, sources: Sequence[Source]) -> None:
        budget = max(1, self.settings.credit // max(1, len(sources)))
        packets = 8 + 4 * self.settings.worker_count + 2 * self.settings.batch_size(self.plan)
        self._credits = [Credits(budget, LIVE_PACKETS if source.live else packets) for source in sources]
        self.lanes = tuple(LaneCounts(source) for source in sources)
        if self._stopping.is_set():
            return
        threads = []
        for index, (source, credits) in enumerate(zip(sources, self._credits, strict=True)):
            feeder = (LiveFeeder if source.live else Feeder)(self, Lane(index, source.name), source, credits)
            thread = threading.Thread(target=feeder.run, name=f"visionkit:source:{index}", daemon=True)
            threads.append(thread)
            thread.start()
        for thread in threads:
            while thread.is_alive():  # short waits keep the main thread open to signals
                thread.join(0.2)
        with self._lock:
            while self._in_flight:
                self._idle.wait(0.2)
        for source in sources:
            list(map(self.note, getattr(source, "notes", ())))

    def admit(self, lane: Lane, frame: Frame, cost: int = 0, end: bool = False, whole: bool = False) -> None:
        """A frame, or the end of its source, enters the chain as a token; while the plan is being swapped, it waits.

        ``whole``: with this end all frames of the source have come.
        """
        with self._admission:
            token = self._token(lane, frame)
            token.cost, token.end, token.whole = cost, end, whole
            token.load, token.captured = None if end else frame.load, frame.captured
            self.lanes[lane.index].book(received=not end)
            self._enter(token)

    def miss(self, lane: Lane, gap: Gap) -> None:
        """A gap enters the chain: outputs hear of it between the packets before and after."""
        with self._admission:
            token = self._token(lane, gap)
            token.gap = gap
            self._enter(token)

    def _token(self, lane: Lane, item: Frame | Gap) -> Token:
        seq = self._lanes.get(lane, 0)
        self._lanes[lane] = seq + 1
        key = Key(item.info.name, item.session, item.index, item.info.variant)
        token = Token(lane, seq, key, item.info, self.plan.root.size, ABSENT)
        token.pts = item.pts
        return token

    def _enter(self, token: Token) -> None:
        with self._lock:
            self._in_flight += 1
        assert self._chain is not None
        self._chain.put([token])

    def drop(self, lane: Lane, frames: int) -> None:
        """Live frames that newer ones replaced."""
        self.lanes[lane.index].book(received=frames, dropped=frames)

    def _finished(self, tokens: Tokens) -> None:
        """Tokens that left the last outlet, in lane order."""
        for token in tokens:
            if token.is_frame:
                self._count(token)
                if self._on_packet is not None and not self.aborting:
                    values = {id_: token.values[slot] for id_, slot in self._names}
                    self._on_packet(token.packet(values))
                self._credits[token.lane.index].release(token.cost)
        with self._lock:
            self._in_flight -= len(tokens)
            if not self._in_flight:
                self._idle.notify_all()

    def _count(self, token: Token) -> None:
        counts = self.lanes[token.lane.index]
        if token.failure is not None:
            counts.book(failed=1)
        elif self.aborting:
            counts.book(dropped=1)
        else:
            counts.book(out=1)
            counts.came_out(token.captured, monotonic())
        self.object_failures += len(token.failures or ())

    def _summary(self, seconds: float, results: list[Any]) -> RunSummary:
        return RunSummary(
            *self.totals,
            self.object_failures,
            seconds,
            merge(self._meters),
            tuple(results),
            self._stopping.is_set(),
            tuple(self._notes),
            sources=tuple(counts.snapshot() for counts in self.lanes),
        )


def _decode(token: Token) -> None:
    """The engine's first step: the picture of the frame."""
    load, token.load = token.load, None
    if load is None:
        raise SourceError("the frame was decoded twice")
    token.values[SOURCE] = load()
