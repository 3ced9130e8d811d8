"""``for_each`` at run time: Gate (which objects run now) → body → Fold (readings become columns).

With memory, gate and fold see the packets of a lane in order. The gate at packet t knows exactly what the fold learned
up to t − D, whatever has been folded already, so batching cannot change a result.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

from visionkit.data import ABSENT, Detections, TextLines, concatenate
from visionkit.lazy import np
from visionkit.pipeline.plan import ForEachNode, SetColumn
from visionkit.runtime.crops import cut
from visionkit.runtime.memory import (
    FORGET_AFTER,
    FoldTrack,
    GateTrack,
    Mailbox,
    Mark,
    Reading,
    cadence_mark,
    columns_of,
    is_due,
)
from visionkit.runtime.order import Sequencer
from visionkit.runtime.segments import Segment, Session, Supervisor, Tokens, fail
from visionkit.runtime.token import Lane, Token
from visionkit.stage.fields import Environment, reader


class LaneMemory:
    """What gate and fold of one lane know, and the mail between them. A new session starts a new one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.gate: dict[int, GateTrack] = {}
        self.fold: dict[int, FoldTrack] = {}
        self.last_run: Mark | None = None
        self.packets = 0
        self.mail = Mailbox()


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


def setter_types(node: ForEachNode) -> dict[str, Any]:
    """What each setter's name stands for, from the values of the body."""
    from visionkit.pipeline.conditions import scope_of

    scope = scope_of(node.body.values)
    return {s.name: s.setter.type(scope) for s in node.setters}


class FoldSegment(Segment):
    """Collects the objects of a packet, updates the memory, and yields the objects with their columns."""

    def __init__(self, node: ForEachNode, supervisor: Supervisor, gate: GateSegment, depth: int) -> None:
        super().__init__(f"{node.id}:fold", supervisor)
        self.node = node
        self._gate = gate
        self._depth = depth
        self._types = setter_types(node)
        self.sequencer = Sequencer() if node.remembers or node.lag is not None else None
        self._meter = supervisor.meter(self.name)

    def work(self, tokens: Tokens, worker: int) -> None:
        done: Tokens = []
        for token in tokens:
            parent = token.parent
            if token.depth == self._depth or parent is None:
                done.append(token)
                continue
            parent.pending -= 1
            if parent.pending == 0:
                done.append(parent)
        ready = done if self.sequencer is None else [t for d in done for t in self.sequencer.push(d)]
        for token in ready:
            self._close(token)
        if ready:
            if self.node.lag is not None:
                self._gate.wake()
            self.next(ready)

    def _close(self, token: Token) -> None:
        memory: LaneMemory | None = token.memory
        learned: dict[int, Reading] = {}
        now = perf_counter_ns()
        try:
            if token.alive and not self.supervisor.aborting:
                learned = self._fold(token, memory)
        except Exception as error:
            fail(token, self.node.id, error, self.supervisor, self.node.on_error)
        finally:
            if memory is not None and self.node.lag is not None:
                memory.mail.folded(self._gate.mark(token), learned)
            token.children, token.memory = None, None
            self._meter.add(now)

    def _fold(self, token: Token, memory: LaneMemory | None) -> dict[int, Reading]:
        node, values = self.node, token.values
        objects = values[node.objects]
        if objects is ABSENT:
            values[node.output] = ABSENT
            return {}
        children = token.children or []
        read = {child.row: self._read(child) for child in children}
        learned: dict[int, Reading] = {}
        if node.setters:
            if memory is not None and node.tracked:
                readings, learned = self._remember(objects, read, memory)
            else:
                readings = [read.get(row, {}) for row in range(len(objects))]
            values[node.output] = self._with_columns(objects, readings)
        else:
            values[node.output] = objects
        for outer, inner in node.exports:
            values[outer] = self._export(token, inner, children)
        return learned

    def _with_columns(self, objects: Detections, readings: list[Reading]) -> Detections:
        """Readings as columns; an object that has none keeps its own score and class."""
        columns = columns_of(self.node.setters, self._types, readings)
        for name in ("score", "class_name"):
            if name in columns:
                own = objects.score if name == "score" else objects.class_name
                missing = [r.get(name) is None for r in readings]
                columns[name] = np.where(missing, own, columns[name])
        return objects.with_columns(columns)

    def _read(self, child: Token) -> Reading:
        """What one run of the body found out, by setter."""
        if child.failure is not None:
            return {}
        return {setter.name: self._reading(setter, child) for setter in self.node.setters}

    def _reading(self, setter: SetColumn, child: Token) -> Any:
        if setter.fields:
            (name,) = setter.setter.argument.names
            return _record(child.values[setter.slots[name]], setter.fields)
        env = Environment({n: child.values[slot] for n, slot in setter.slots.items()}, child.plain_names())
        return _first(setter.setter.argument.evaluate(env))

    def _remember(
        self, objects: Detections, read: dict[int, Reading], memory: LaneMemory
    ) -> tuple[list[Reading], dict[int, Reading]]:
        """Updates each track's state; the readings held for all objects, and those that changed."""
        assert objects.track_id is not None
        held: list[Reading] = []
        learned: dict[int, Reading] = {}
        for row, track_id in enumerate(objects.track_id.tolist()):
            track = memory.fold.get(track_id)
            if track is None:
                track = memory.fold[track_id] = FoldTrack([s.setter.start() for s in self.node.setters])
            track.seen = memory.packets
            new = read.get(row)
            if new:
                for setter, state in zip(self.node.setters, track.states, strict=True):
                    state.update(new[setter.name])
            values = {s.name: state.value for s, state in zip(self.node.setters, track.states, strict=True)}
            held.append(values)
            if new:
                learned[track_id] = values
        if memory.packets % FORGET_AFTER == 0:
            memory.fold = {i: t for i, t in memory.fold.items() if memory.packets - t.seen < FORGET_AFTER}
        return held, learned

    def _export(self, token: Token, inner: int, children: Tokens) -> Any:
        """What the body found on all crops, lifted to the frame; ``parent`` is the object's row."""
        found = [(child.row, child.values[inner]) for child in children if child.values[inner] is not ABSENT]
        if children and not found:
            return ABSENT
        canvas = token.values[self.node.image].canvas.as_frame()
        type_ = next(v.type for v in self.node.body.values if v.slot == inner)
        if issubclass(type_, TextLines):
            return _join_text([lines.on(canvas) for _, lines in found], canvas)
        parts = [part.with_columns({"parent": np.full(len(part), row)}) for row, part in found]
        return concatenate(parts, canvas)


def _join_text(parts: list[TextLines], canvas: Any) -> TextLines:
    texts = tuple(text for part in parts for text in part.texts)
    scores = np.concatenate([part.scores for part in parts]) if parts else np.zeros(0, np.float32)
    polygons = np.concatenate([part.polygons for part in parts]) if parts else np.zeros((0, 4, 2), np.float32)
    return TextLines(canvas, texts, scores, polygons)


def _record(value: Any, fields: tuple[str, ...]) -> dict[str, Any] | None:
    """The fields of a result as scalars: of objects, those of the best; None if there is nothing to read."""
    if value is ABSENT or (hasattr(value, "__len__") and len(value) == 0):
        return None
    if isinstance(value, Detections):
        value = value.select([int(np.argmax(value.score))])
    source = reader(value)
    return {name: _first(source.field(name)) for name in fields}


def _first(value: Any) -> Any:
    """A scalar of a scalar or of a column's first row."""
    if isinstance(value, np.ndarray):
        if not len(value):
            return None
        value = value[0]
    return value.item() if isinstance(value, np.generic) else value
