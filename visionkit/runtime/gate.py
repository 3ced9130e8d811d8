"""The gate of ``for_each``: which objects of a packet run now.

With memory, gate and fold see the packets of a lane in order. The gate at packet t knows exactly what the fold learned
up to t − D, whatever has been folded already, so batching cannot change a result.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from visionkit.data import ABSENT, Detections
from visionkit.lazy import np
from visionkit.pipeline.plan import ForEachNode, SetColumn
from visionkit.runtime.crops import cut
from visionkit.runtime.memory import (
    FORGET_AFTER,
    GateTrack,
    LaneMemory,
    Mark,
    cadence_mark,
    columns_of,
    is_due,
    setter_types,
)
from visionkit.runtime.order import Sequencer
from visionkit.runtime.segments import Segment, Supervisor, Tokens, fail
from visionkit.runtime.token import Lane, Token
from visionkit.stage.fields import Environment


class GateSegment(Segment):
    """Chooses the objects that run now and cuts them out."""

    def __init__(self, node: ForEachNode, supervisor: Supervisor) -> None:
        super().__init__(f"{node.id}:gate", supervisor)
        self.node = node
        self.memories: dict[Lane, LaneMemory] = {}
        self.to_fold: Callable[[Tokens], None] = lambda tokens: None
        self._size = node.body.size
        self._ordered = node.remembers or node.every is not None or node.until is not None
        self.sequencer = Sequencer()
        self._held: dict[Lane, list[Token]] = {}
        self._meter = supervisor.meter(self.name)
        self._types = setter_types(node)

    def wake(self) -> None:
        """The fold has news: a packet that waited may pass now."""
        self._inbox.put([])

    def work(self, tokens: Tokens, worker: int) -> None:
        if not self._ordered:
            self._pass(tokens)
            return
        ready = [t for token in tokens for t in self.sequencer.push(token)]
        for token in ready:
            self._held.setdefault(token.lane, []).append(token)
        for held in self._held.values():
            count = 0
            while count < len(held) and self._may_pass(held[count]):
                self._pass([held[count]])
                count += 1
            del held[:count]

    def _may_pass(self, token: Token) -> bool:
        """False while the fold has not yet seen all packets that this one's decision rests on."""
        lag = self.node.lag
        if lag is None or token.end or self.supervisor.aborting:
            return True
        memory = self.memories.get(token.lane)
        if memory is None or memory.session != (token.key.source, token.key.session):
            return True
        return memory.mail.has_seen(self.mark(token) - lag)

    def mark(self, token: Token) -> Mark:
        return cadence_mark(self.node.every, token.key.index, token.pts)

    def _pass(self, tokens: Tokens) -> None:
        children: Tokens = []
        alone: Tokens = []
        for token in tokens:
            made: Tokens = []
            if token.alive and not self.supervisor.aborting:
                now = perf_counter_ns()
                try:
                    made = self._open(token)
                except Exception as error:
                    fail(token, self.node.id, error, self.supervisor, self.node.on_error)
                self._meter.add(now)
            if made:
                children += made
            else:
                alone.append(token)
        if alone:
            self.to_fold(alone)
        if children:
            self.next(children)

    def _open(self, token: Token) -> Tokens:
        """The children of a packet; its memory is brought up to date first."""
        node = self.node
        memory = self._memory(token) if node.tracked or self._ordered else None
        if memory is not None:
            token.memory = memory
            if node.lag is not None:
                memory.mail.outstanding.append(self.mark(token))
            memory.packets += 1
        objects, image = token.values[node.objects], token.values[node.image]
        if objects is ABSENT or image is ABSENT or not len(objects):
            return []
        chosen = self._choose(token, objects, memory)
        picked = np.flatnonzero(chosen)
        if not len(picked):
            return []
        crops = cut(image, objects if len(picked) == len(objects) else objects.select(picked), node.pad)
        children = []
        for row, crop in zip(picked.tolist(), crops, strict=True):
            if crop is not None:
                child = Token(token.lane, token.seq, token.key, token.info, self._size, ABSENT)
                child.pts, child.parent, child.row, child.depth = token.pts, token, row, token.depth + 1
                child.values[0] = crop
                children.append(child)
        token.pending = len(children)
        token.children = children
        return children

    def _memory(self, token: Token) -> LaneMemory:
        """The memory of the packet's session; packets of an earlier one hold on to theirs."""
        session = (token.key.source, token.key.session)
        memory = self.memories.get(token.lane)
        if memory is None or memory.session != session:
            memory = self.memories[token.lane] = LaneMemory(session)
        return memory

    def _choose(self, token: Token, objects: Detections, memory: LaneMemory | None) -> Any:
        """Which objects run now: bool (N,)."""
        node, count = self.node, len(objects)
        chosen = np.ones(count, bool)
        tracks = self._tracks(token, objects, memory) if memory is not None and node.tracked else None
        if node.when or node.until:
            env = self._environment(token, objects, tracks)
            if node.when:
                chosen &= node.when.expression.mask(env, count)
            if node.until and tracks is not None:
                for track, over in zip(tracks, node.until.expression.mask(env, count), strict=True):
                    track.done |= bool(over)
                chosen &= ~np.array([track.done for track in tracks])
        if node.every is not None and memory is not None:
            chosen &= self._due(token, chosen, memory, tracks)
        return chosen

    def _due(self, token: Token, chosen: Any, memory: LaneMemory, tracks: list[GateTrack] | None) -> Any:
        cadence, index, pts = self.node.every, token.key.index, token.pts
        mark = self.mark(token)
        if cadence is None or not cadence.per_track or tracks is None:
            due = is_due(cadence, memory.last_run, index, pts)
            if due and chosen.any():
                memory.last_run = mark
            return np.full(len(chosen), due)
        answers = []
        for track, wanted in zip(tracks, chosen, strict=True):
            due = is_due(cadence, track.last_run, index, pts)
            if due and wanted:
                track.last_run = mark
            answers.append(due)
        return np.array(answers, bool)

    def _tracks(self, token: Token, objects: Detections, memory: LaneMemory) -> list[GateTrack]:
        """The memory of each object's track, with what the fold learned up to now − D."""
        if self.node.lag is not None:
            for update in memory.mail.take(self.mark(token) - self.node.lag):
                for track_id, known in update.tracks.items():
                    memory.gate.setdefault(track_id, GateTrack()).known = known
        assert objects.track_id is not None
        found = [memory.gate.setdefault(int(i), GateTrack()) for i in objects.track_id]
        for track in found:
            track.seen = memory.packets
        if memory.packets % FORGET_AFTER == 0:
            memory.gate = {i: t for i, t in memory.gate.items() if memory.packets - t.seen < FORGET_AFTER}
        return found

    def _environment(self, token: Token, objects: Detections, tracks: list[GateTrack] | None) -> Environment:
        node = self.node
        if tracks is not None and node.setters and node.lag is not None:
            known = [track.known for track in tracks]
            objects = objects.with_columns(columns_of(_memory_only(node.setters), self._types, known))
        slots = {**(node.when.slots if node.when else {}), **(node.until.slots if node.until else {})}
        values = {name: token.values[slot] for name, slot in slots.items()}
        return Environment({**values, node.name: objects}, token.plain_names())


def _memory_only(setters: tuple[SetColumn, ...]) -> tuple[SetColumn, ...]:
    """Setters whose names are fields of their own, not those of the objects."""
    return tuple(s for s in setters if s.name not in ("score", "class_name"))
