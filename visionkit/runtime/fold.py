"""The fold of ``for_each``: collects the objects of a packet and turns their readings into columns."""

from __future__ import annotations

from time import perf_counter_ns
from typing import Any

from visionkit.data import ABSENT, Detections, TextLines, concatenate
from visionkit.lazy import np
from visionkit.pipeline.plan import ForEachNode, SetColumn
from visionkit.runtime.gate import GateSegment
from visionkit.runtime.memory import FORGET_AFTER, FoldTrack, LaneMemory, Reading, columns_of, setter_types
from visionkit.runtime.order import Sequencer
from visionkit.runtime.segments import Segment, Supervisor, Tokens, fail
from visionkit.runtime.token import Token
from visionkit.stage.fields import Environment, reader


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
            token.work += sum(child.work for child in token.children or ())
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
            id_ = max(setter.slots, key=len)
            return _record(child.values[setter.slots[id_]], setter.fields, name[len(id_) + 1 :])
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


def _record(value: Any, fields: tuple[str, ...], path: str) -> dict[str, Any] | None:
    """The fields of a result as scalars: of objects, those of the best; None if there is nothing to read.

    ``path`` leads to a record inside the result, such as a column with fields of its own; "" is the result itself.
    """
    if value is ABSENT or (hasattr(value, "__len__") and len(value) == 0):
        return None
    if isinstance(value, Detections):
        value = value.select([int(np.argmax(value.score))])
    source = reader(value)
    for part in filter(None, path.split(".")):
        source = source.field(part)
    return {name: _first(source.field(name)) for name in fields}


def _first(value: Any) -> Any:
    """A scalar of a scalar or of a column's first row."""
    if isinstance(value, np.ndarray):
        if not len(value):
            return None
        value = value[0]
    return value.item() if isinstance(value, np.generic) else value
