"""Workers. A plan runs as a chain of segments; each has an inbox, threads of its own, and hands tokens on.

Items travel in lists, so that a hundred crops cost one hop. Inboxes never block: what is in flight is bounded by the
credits taken at the source.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from time import perf_counter_ns
from typing import Any, Protocol

from visionkit.data import Failure
from visionkit.errors import SinkError, StageError, VisionkitError
from visionkit.pipeline.plan import StageNode
from visionkit.runtime.metrics import Meter
from visionkit.runtime.order import Sequencer
from visionkit.runtime.steps import Inputs, Step, single_step
from visionkit.runtime.token import Lane, Token
from visionkit.stage.base import BatchStage, ScanStage, Stage

Tokens = list[Token]
Session = tuple[str, int]


class Supervisor(Protocol):
    """What segments need of the engine."""

    aborting: bool
    on_error: str

    def abort(self, error: BaseException) -> None: ...
    def meter(self, name: str) -> Meter: ...


class Segment(ABC):
    """A stretch of the plan with threads of its own.

    Subclasses give :meth:`work`.
    """

    def __init__(self, name: str, supervisor: Supervisor, workers: int = 1) -> None:
        self.name = name
        self.supervisor = supervisor
        self.workers = workers
        self.next: Callable[[Tokens], None] = lambda tokens: None
        self._inbox: SimpleQueue[Tokens | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []

    @property
    def waiting(self) -> int:
        """Lists of tokens that nobody has taken up yet."""
        return self._inbox.qsize()

    def put(self, tokens: Tokens) -> None:
        """Hand over tokens; long lists are split among the workers."""
        if self.workers > 1 and len(tokens) > 1:
            size = -(-len(tokens) // self.workers)
            for start in range(0, len(tokens), size):
                self._inbox.put(tokens[start : start + size])
        else:
            self._inbox.put(tokens)

    def start(self) -> None:
        for worker in range(self.workers):
            name = f"visionkit:{self.name}:{worker}"
            thread = threading.Thread(target=self._loop, args=(worker,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Ends the threads once they have done what is in the inbox."""
        for _ in self._threads:
            self._inbox.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    @abstractmethod
    def work(self, tokens: Tokens, worker: int) -> None:
        """What is done with a list of tokens; called by one thread at a time per worker."""

    def _loop(self, worker: int) -> None:
        while (tokens := self._inbox.get()) is not None:
            try:
                self.work(tokens, worker)
            except BaseException as error:  # a bug here must end the run, not hang it
                self.supervisor.abort(error)
                self.next(tokens)


def fail(token: Token, stage: str, error: Exception, supervisor: Supervisor, on_error: str | None = None) -> None:
    """The token becomes a tombstone; inside ``for_each`` only that object is lost. ``stop`` ends the run."""
    if isinstance(error, SinkError):  # an output that cannot be written ends the run: nothing may be lost quietly
        supervisor.abort(error)
    code = error.code if isinstance(error, VisionkitError) else StageError.code
    text = error.message if isinstance(error, VisionkitError) else f"{type(error).__name__}: {error}"
    failure = Failure(stage, code, text)
    token.failure = failure
    if token.parent is not None:
        root = token.root()
        where = Failure(stage, code, f"object {token.row}: {text}")
        root.failures = [*(root.failures or ()), where]
    if (on_error or supervisor.on_error) == "stop":
        wrapped = StageError(
            f"{stage} failed on {token.root().key}: {text}", help="--on-error skip goes on without the packet"
        )
        wrapped.__cause__ = error
        supervisor.abort(wrapped)


class MapSegment(Segment):
    """Fused pure stages, an instance of each per worker. ``before`` and ``after`` are the engine's own steps."""

    def __init__(
        self,
        name: str,
        supervisor: Supervisor,
        nodes: Iterable[StageNode],
        instances: list[list[Stage[Any]]],
        before: list[tuple[str, Step]],
        after: list[tuple[str, Step]],
    ) -> None:
        super().__init__(name, supervisor, len(instances))
        self.nodes = tuple(nodes)
        self._steps: list[list[tuple[str, Step, Meter, str | None]]] = []
        for row in instances:
            own = [(n.id, single_step(n, i.run), n.on_error) for n, i in zip(self.nodes, row, strict=True)]  # type: ignore[attr-defined]
            whole = [(*s, None) for s in before] + own + [(*s, None) for s in after]
            self._steps.append([(id_, step, supervisor.meter(id_), policy) for id_, step, policy in whole])

    def work(self, tokens: Tokens, worker: int) -> None:
        if not self.supervisor.aborting:
            steps = self._steps[worker]
            for token in tokens:
                if token.alive:
                    self._run(token, steps)
        self.next(tokens)

    def _run(self, token: Token, steps: list[tuple[str, Step, Meter, str | None]]) -> None:
        now = begun = perf_counter_ns()
        for id_, step, meter, policy in steps:
            try:
                step(token)
            except Exception as error:
                fail(token, id_, error, self.supervisor, policy)
                break
            now = meter.add(now)
        token.work += now - begun


class BatchSegment(Segment):
    """One batch stage, a thread for each instance. A batch is what has come by now, up to the largest size."""

    def __init__(self, supervisor: Supervisor, node: StageNode, instances: list[BatchStage[Any]], size: int) -> None:
        super().__init__(node.id, supervisor, len(instances))
        self.node = node
        self._instances = instances
        self._inputs = Inputs(node)
        self._size = size
        self._meters = [supervisor.meter(node.id) for _ in instances]

    def put(self, tokens: Tokens) -> None:
        if self._size == 1:
            super().put(tokens)
        else:
            self._inbox.put(tokens)

    def _loop(self, worker: int) -> None:
        ended = False
        while not ended and (tokens := self._inbox.get()) is not None:
            tokens = list(tokens)
            while len(tokens) < self._size and not ended:
                try:
                    more = self._inbox.get_nowait()
                except Empty:
                    break
                if more is None:
                    ended = True
                else:
                    tokens += more
            try:
                self.work(tokens, worker)
            except BaseException as error:
                self.supervisor.abort(error)
                self.next(tokens)

    def work(self, tokens: Tokens, worker: int) -> None:
        buckets: dict[Any, list[tuple[Token, list[Any]]]] = {}
        if not self.supervisor.aborting:
            for token in tokens:
                if token.alive:
                    self._sort(token, buckets, worker)
        for ready in buckets.values():
            for start in range(0, len(ready), self._size):
                self._run(ready[start : start + self._size], worker)
        self.next(tokens)

    def _sort(self, token: Token, buckets: dict[Any, list[tuple[Token, list[Any]]]], worker: int) -> None:
        try:
            arguments = self._inputs.gather(token)
            if arguments is None:
                self._inputs.skip(token)
            else:
                buckets.setdefault(self._instances[worker].bucket(*arguments), []).append((token, arguments))
        except Exception as error:
            fail(token, self.node.id, error, self.supervisor, self.node.on_error)

    def _run(self, ready: list[tuple[Token, list[Any]]], worker: int) -> None:
        """Run a batch; if it fails, run its halves, so that only the guilty packet is lost."""
        if self.supervisor.aborting:
            return
        started = perf_counter_ns()
        columns = [list(column) for column in zip(*(arguments for _, arguments in ready), strict=True)]
        try:
            results = list(self._instances[worker].run(*columns))
            if len(results) != len(ready):
                raise StageError(f"{self.node.name} returned {len(results)} results for a batch of {len(ready)}")
            for (token, _), result in zip(ready, results, strict=True):
                self._inputs.store(token, result)
        except Exception as error:
            if len(ready) == 1:
                fail(ready[0][0], self.node.id, error, self.supervisor, self.node.on_error)
            else:
                self._run(ready[: len(ready) // 2], worker)
                self._run(ready[len(ready) // 2 :], worker)
            return
        spent = (self._meters[worker].add(started, len(ready)) - started) // len(ready)
        for token, _ in ready:
            token.work += spent


class OrderedSegment(Segment):
    """One thread that sees the tokens of each lane in their order. Subclasses give :meth:`handle`."""

    def __init__(self, name: str, supervisor: Supervisor) -> None:
        super().__init__(name, supervisor)
        self.sequencer = Sequencer()

    def work(self, tokens: Tokens, worker: int) -> None:
        ready = [t for token in tokens for t in self.sequencer.push(token)]
        for token in ready:
            self.handle(token)
        if ready:
            self.next(ready)

    @abstractmethod
    def handle(self, token: Token) -> None:
        """What is done with the token that is next in its lane."""


class ScanSegment(OrderedSegment):
    """Fused stages that remember, an instance of each per lane, reset where a new source or session begins."""

    def __init__(
        self, name: str, supervisor: Supervisor, nodes: list[StageNode], opened: Callable[[StageNode], Stage[Any]]
    ) -> None:
        super().__init__(name, supervisor)
        self.nodes = nodes
        self._opened = opened
        self._lanes: dict[Lane, list[tuple[StageNode, ScanStage[Any], Step]]] = {}
        self._sessions: dict[Lane, Session] = {}
        self._meters = [supervisor.meter(node.id) for node in nodes]

    @property
    def sessions(self) -> dict[Lane, Session]:
        """The session each lane is in."""
        return dict(self._sessions)

    def instances(self) -> Iterator[tuple[StageNode, Lane, Stage[Any]]]:
        """Every instance there is, with its node and lane: what another segment may go on with."""
        for lane, rows in self._lanes.items():
            yield from ((node, lane, stage) for node, stage, _ in rows)

    def adopt(self, sessions: dict[Lane, Session], known: Callable[[StageNode, Lane], Stage[Any] | None]) -> None:
        """Go on with the instances of an earlier segment where ``known`` has them, before the first token comes."""
        self._sessions = dict(sessions)
        for lane in sessions:
            self._rows(lane, [known(node, lane) or self._opened(node) for node in self.nodes])

    def _rows(self, lane: Lane, stages: list[Stage[Any]]) -> list[tuple[StageNode, ScanStage[Any], Step]]:
        pairs = zip(self.nodes, stages, strict=True)
        rows = [(node, stage, single_step(node, stage.run)) for node, stage in pairs]  # type: ignore[attr-defined]
        self._lanes[lane] = rows  # type: ignore[assignment]
        return self._lanes[lane]

    def handle(self, token: Token) -> None:
        if self.supervisor.aborting or not token.alive:
            return
        rows = self._lanes.get(token.lane) or self._rows(token.lane, [self._opened(node) for node in self.nodes])
        session = (token.key.source, token.key.session)
        if self._sessions.get(token.lane, session) != session:
            for _, stage, _ in rows:
                stage.reset()
        self._sessions[token.lane] = session
        now = begun = perf_counter_ns()
        for (node, stage, step), meter in zip(rows, self._meters, strict=True):
            stage.now = token.pts
            try:
                step(token)
            except Exception as error:
                fail(token, node.id, error, self.supervisor, node.on_error)
                break
            now = meter.add(now)
        token.work += now - begun
