"""A plan as a chain of segments, its stages opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from visionkit.pipeline.plan import Plan, StageNode
from visionkit.pipeline.stretches import Nest, Stretch, stretches
from visionkit.runtime.context import Context
from visionkit.runtime.fold import FoldSegment
from visionkit.runtime.gate import GateSegment
from visionkit.runtime.segments import BatchSegment, MapSegment, ScanSegment, Segment, Session, Supervisor, Tokens
from visionkit.runtime.steps import Step
from visionkit.runtime.token import Lane
from visionkit.stage.base import Stage


@dataclass
class Chain:
    """Opens stages, links segments, and closes everything in reverse.

    Args:
        opener: makes the context of a stage from its id.
        first: engine steps before the first stage (decode), last: after the last one (prepare outputs).
        in_flight: batches that a stage may work on at once, where it works on a GPU.
    """

    plan: Plan
    supervisor: Supervisor
    opener: Callable[[str], Any]
    workers: int
    batch: int
    first: list[tuple[str, Step]] = field(default_factory=list)
    last: list[tuple[str, Step]] = field(default_factory=list)
    in_flight: int = 1
    segments: list[Segment] = field(default_factory=list)
    _opened: list[Stage[Any]] = field(default_factory=list)
    _contexts: dict[int, Any] = field(default_factory=dict)

    def open(self) -> None:
        """Open all stages in order; if one fails, those before it are closed again."""
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def start(self, sink: Callable[[Tokens], None]) -> None:
        """Link the last segment to ``sink`` and start all workers."""
        self.segments[-1].next = sink
        for segment in self.segments:
            segment.start()

    def put(self, tokens: Tokens) -> None:
        self.segments[0].put(tokens)

    def stop(self) -> None:
        """Ends all workers; nothing may be in flight."""
        for segment in self.segments:
            segment.stop()

    def close(self) -> None:
        """Close every opened stage, last opened first, whatever happens.

        Raises:
            Exception: the first error of a ``close``, after all were called.
        """
        errors: list[Exception] = []
        while self._opened:
            stage = self._opened.pop()
            try:
                stage.close()
            except Exception as error:
                errors.append(error)
            _let_go(self._contexts.pop(id(stage), None))
        if errors:
            raise errors[0]

    def take_over(self, old: Chain, lanes: dict[Lane, int]) -> None:
        """Continue where ``old``, drained and stopped, left off; call before :meth:`start`.

        A stage that remembers keeps its state if it and everything upstream are unchanged.

        Args:
            old: the chain to take over from.
            lanes: the number of the next token of each lane.
        """
        before, now = old.plan.fingerprints(), self.plan.fingerprints()
        states: dict[tuple[str, Lane], Stage[Any]] = {}
        sessions: dict[Lane, Session] = {}
        memories = {}
        for segment in old.segments:
            if isinstance(segment, ScanSegment):
                states |= {(before[node.id], lane): stage for node, lane, stage in segment.instances()}
                sessions |= segment.sessions
            elif isinstance(segment, GateSegment) and segment.node.id in before:
                memories[before[segment.node.id]] = segment.memories

        def known(node: StageNode, lane: Lane) -> Stage[Any] | None:
            stage = states.get((now[node.id], lane))
            if stage is not None and stage in old._opened:
                old._opened.remove(stage)
                self._opened.append(stage)
                self._contexts[id(stage)] = old._contexts.pop(id(stage), None)
            return stage

        for segment in self.segments:
            sequencer = getattr(segment, "sequencer", None)
            if sequencer is not None:
                sequencer.start_at(lanes)
            if isinstance(segment, ScanSegment):
                segment.adopt(sessions, known)
            elif isinstance(segment, GateSegment) and segment.node.id in now:
                segment.memories = memories.get(now[segment.node.id], {})

    def instance(self, node: StageNode) -> Stage[Any]:
        """A fresh, opened instance of a node's stage."""
        stage = node.stage(node.params)
        context = self._context(node)
        try:
            stage.open(context)
        except BaseException:
            _let_go(context)
            raise
        self._opened.append(stage)
        self._contexts[id(stage)] = context
        return stage

    def _context(self, node: StageNode) -> Any:
        context = self.opener(node.id)
        alone = isinstance(context, Context) and node.kind == "batch" and not node.stage.side_by_side
        return replace(context, alone=True) if alone else context

    def _build(self) -> None:
        groups = list(stretches(self.plan.root.nodes))
        if not groups or not _is_map(groups[0]):
            groups.insert(0, Stretch("map", ()))
        if self.last and (not _is_map(groups[-1])):
            groups.append(Stretch("map", ()))
        for i, group in enumerate(groups):
            before = self.first if i == 0 else []
            after = self.last if i == len(groups) - 1 else []
            self.segments += list(self._segments(group, before, after))
        for left, right in zip(self.segments, self.segments[1:], strict=False):
            left.next = right.put

    def _segments(
        self, group: Stretch | Nest, before: list[tuple[str, Step]], after: list[tuple[str, Step]]
    ) -> Iterator[Segment]:
        if isinstance(group, Nest):
            gate = GateSegment(group.node, self.supervisor)
            yield gate
            for inner in group.body:
                yield from self._segments(inner, [], [])
            fold = FoldSegment(group.node, self.supervisor, gate, group.depth)
            gate.to_fold = fold.put
            yield fold
        elif group.kind == "batch":
            (node,) = group.nodes
            yield BatchSegment(self.supervisor, node, self._side_by_side(node), self.batch)
        elif group.kind == "scan":
            name = "+".join(n.id for n in group.nodes)
            yield ScanSegment(name, self.supervisor, list(group.nodes), self._scan_opener(group.nodes))
        else:
            name = "+".join([*(id_ for id_, _ in before), *(n.id for n in group.nodes), *(id_ for id_, _ in after)])
            rows = [[self.instance(n) for n in group.nodes] for _ in range(self.workers)]
            yield MapSegment(name, self.supervisor, group.nodes, rows, before, after)

    def _side_by_side(self, node: StageNode) -> list[Any]:
        """Instances of a batch stage: as many as batches may be on a GPU, or calls in its networks, at a time."""
        first = self.instance(node)
        models = getattr(self._contexts[id(first)], "taken", ())
        streams = min((getattr(model, "streams", 1) for model in models), default=1)
        calls = streams if node.stage.side_by_side else 1
        number = max(calls, self.in_flight if node.stage.on_device else 1)
        return [first, *(self.instance(node) for _ in range(number - 1))]

    def _scan_opener(self, nodes: tuple[StageNode, ...]) -> Callable[[StageNode], Stage[Any]]:
        """The first lane gets instances opened now, so that what cannot be opened ends the run before it starts."""
        ready = {node.id: [self.instance(node)] for node in nodes}
        return lambda node: ready[node.id].pop() if ready[node.id] else self.instance(node)


def _let_go(context: Any) -> None:
    """Give back the networks that a stage took through its context."""
    if (release := getattr(context, "release", None)) is not None:
        release()


def _is_map(group: Stretch | Nest) -> bool:
    return isinstance(group, Stretch) and group.kind == "map"
