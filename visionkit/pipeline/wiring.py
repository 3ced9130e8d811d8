"""The wiring law: which earlier value feeds which input.

A producer hides the inputs it consumed that are of the type it yields. An input takes the nearest earlier value of its
type that is not hidden; if two unhidden values of that type remain, that is an error. ``in:`` names another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from visionkit.data import Annotated, Image
from visionkit.errors import did_you_mean
from visionkit.expr import Record, Type
from visionkit.pipeline.document import Listing, Node, Scalar
from visionkit.pipeline.document import Mapping as MappingNode
from visionkit.pipeline.plan import Binding, Value
from visionkit.pipeline.problems import SWITCHED_OFF
from visionkit.pipeline.variables import Variables
from visionkit.stage.ports import InputPort, noun


def accepts(port: InputPort, type_: type) -> bool:
    """Whether a port takes values of a type."""
    return any(fits(wanted, type_) for wanted in port.types)


def fits(wanted: type, type_: type) -> bool:
    """An annotated picture is only taken where it is asked for."""
    return issubclass(type_, wanted) and (wanted is not Image or not issubclass(type_, Annotated))


@dataclass
class Board:
    """The values that exist at one point of a list of stages, and which of them are hidden."""

    variables: Variables
    counter: Iterator[int] = field(default_factory=count)
    values: list[Value] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)

    def add(
        self,
        id: str,
        type_: type,
        producer: str,
        columns: Mapping[str, Type | Record] | None = None,
        plane: str = "source",
    ) -> Value:
        """A new value in a new slot."""
        value = Value(id, type_, next(self.counter), producer, dict(columns or {}), plane)
        self.values.append(value)
        return value

    def slot(self, slot: int) -> Value:
        return next(v for v in self.values if v.slot == slot)

    def names(self) -> set[str]:
        """The ids that are taken: of values, and of stages whose values have names of their own."""
        return {v.id for v in self.values} | {v.producer.partition(".")[0] for v in self.values[1:]}

    def find(self, id: str) -> Value | None:
        return next((v for v in reversed(self.values) if v.id == id), None)

    def unhidden(self, wanted: type) -> list[Value]:
        return [v for v in self.values if v.slot not in self.hidden and fits(wanted, v.type)]

    def hide_consumed(self, type_: type, consumed: Iterable[Value]) -> None:
        """A producer of ``type_`` hides the values of that type it consumed."""
        self.hidden |= {v.slot for v in consumed if fits(type_, v.type) and fits(v.type, type_)}


class Wirer:
    """Binds the ports of one stage."""

    def __init__(self, board: Board, where: str, at: Node) -> None:
        self.board = board
        self.where = where
        self.at = at
        self.problems = board.variables.problems

    def bind(self, ports: tuple[InputPort, ...], node: Node | None) -> tuple[Binding, ...] | None:
        """All bindings, or None after problems were noted."""
        named = self._named(ports, node)
        if named is None:
            return None
        bindings, taken = [], set(named)
        seen_types: set[type] = set()
        for port in ports:
            if port.name in taken:
                bindings.append(self._from_names(port, named[port.name]))
            elif port.of_packet:
                bindings.append(Binding(port.name, (), why="every packet has it", of_packet=port.of_packet))
            elif port.named_only or seen_types & set(port.types):
                bindings.append(self._unfilled(port))
            else:
                bindings.append(self._nearest(port))
            seen_types |= set(port.types)
        return None if any(b is None for b in bindings) else tuple(b for b in bindings if b is not None)

    def _named(self, ports: tuple[InputPort, ...], node: Node | None) -> dict[str, list[tuple[Value, Node]]] | None:
        """What ``in:`` says: port → values."""
        if node is None:
            return {}
        if isinstance(node, MappingNode):
            return self._by_port(ports, node)
        items = self._listed(node)
        if items is None:
            return None
        found = [self._value(item) for item in items]
        if any(f is None for f in found):
            return None
        values = [(f, item) for f, item in zip(found, items, strict=True) if f is not None]
        for port in ports:
            if port.variadic and all(accepts(port, v.type) for v, _ in values):
                return {port.name: values}
        named: dict[str, list[tuple[Value, Node]]] = {}
        for value, item in values:
            free = [p for p in ports if p.name not in named and accepts(p, value.type)]
            if not free:
                wants = ", ".join(f"{p.name} ({p.noun})" for p in ports)
                message = f"{value.id!r} is {noun(value.type)}, which no free input takes"
                self.problems.add("VK204", self.where, message, item, f"inputs of this stage: {wants}")
                return None
            named[free[0].name] = [(value, item)]
        return named

    def _by_port(self, ports: tuple[InputPort, ...], node: MappingNode) -> dict[str, list[tuple[Value, Node]]] | None:
        named: dict[str, list[tuple[Value, Node]]] = {}
        failed = False
        for key, target in node:
            port = next((p for p in ports if p.name == key.text), None)
            if port is None:
                names = [p.name for p in ports]
                help_ = did_you_mean(key.text, names) or f"inputs: {', '.join(names)}"
                self.problems.add("VK205", self.where, f"there is no input {key.text!r}", key, help_)
                failed = True
                continue
            items = self._listed(target)
            if items is None:
                failed = True
                continue
            values = [(self._value(item), item) for item in items]
            named[port.name] = [(v, item) for v, item in values if v is not None]
            failed |= len(named[port.name]) < len(values)
        return None if failed else named

    def _listed(self, node: Node) -> tuple[Node, ...] | None:
        """The items of a list, or the one thing that is none; an empty list is a problem."""
        items = node.items if isinstance(node, Listing) else (node,)
        if not items:
            help_ = "leave it out to take what is nearest"
            self.problems.add("VK105", f"{self.where}.in", "an empty list names no value", node, help_)
        return items or None

    def _value(self, node: Node) -> Value | None:
        if not isinstance(node, Scalar) or node.value is None:
            self.problems.add(
                "VK105", f"{self.where}.in", "must be an id, a list of ids, or a mapping of input to id", node
            )
            return None
        id_ = self.board.variables.text(node, f"{self.where}.in")
        value = self.board.find(id_)
        if value is None:
            known = [v.id for v in self.board.values]
            help_ = did_you_mean(id_, known) or f"ids before this point: {', '.join(known)}"
            if id_ in self.problems.lost:
                return None
            if id_ in self.problems.off:
                help_ = SWITCHED_OFF
            elif id_ == "source":
                help_ = f"inside for_each the picture is the crop: {known[0]}"
            self.problems.add("VK203", f"{self.where}.in", f"nothing before this has the id {id_!r}", node, help_)
        return value

    def _from_names(self, port: InputPort, values: list[tuple[Value, Node]]) -> Binding | None:
        for value, item in values:
            if not accepts(port, value.type):
                message = f"the input {port.name!r} takes {port.noun}, but {value.id!r} is {noun(value.type)}"
                self.problems.add("VK204", self.where, message, item)
                return None
        if len(values) > 1 and not port.variadic:
            self.problems.add(
                "VK204", self.where, f"the input {port.name!r} takes one value, got {len(values)}", values[1][1]
            )
            return None
        why = "named by in:"
        return Binding(port.name, tuple(v.slot for v, _ in values), port.optional, port.variadic, why)

    def _unfilled(self, port: InputPort) -> Binding | None:
        if port.optional:
            return Binding(port.name, (), True, port.variadic, "left empty: it is filled by in: alone")
        choice = ", ".join(v.id for v in self.board.values if accepts(port, v.type))
        self.problems.add(
            "VK201",
            self.where,
            f"the input {port.name!r} ({port.noun}) must be named: only the first input of a type is filled by itself",
            self.at,
            f"in: {{{port.name}: <id>}}, with one of: {choice}",
        )
        return None

    def _nearest(self, port: InputPort) -> Binding | None:
        for wanted in port.types:
            found = self.board.unhidden(wanted)
            if port.variadic and found:
                why = "all unhidden values of this type"
                return Binding(port.name, tuple(v.slot for v in found), port.optional, True, why)
            if len(found) > 1:
                ids = [v.id for v in found]
                text = ", ".join(ids[:-1]) + f" and {ids[-1]}"
                message = f"the input {port.name!r} could take {text}: several {noun(wanted)} values are in reach"
                self.problems.add("VK202", self.where, message, self.at, f"say which: in: {{{port.name}: {ids[-1]}}}")
                return None
            if found:
                why = f"the nearest unhidden {noun(wanted)}"
                return Binding(port.name, (found[0].slot,), port.optional, port.variadic, why)
        if port.optional:
            return Binding(port.name, (), True, port.variadic, "nothing provides it, and it may be left empty")
        if self.problems.lost:  # one of the stages that could not be compiled might have
            return None
        self.problems.add(
            "VK201", self.where, f"needs {port.noun}, but nothing before it provides any", self.at, providers(port)
        )
        return None


def providers(port: InputPort) -> str:
    """A help line with stages that yield what the port takes."""
    from visionkit.stage.catalogue import stages

    catalogue = stages()
    names = [name for name in catalogue.names() if _yields(catalogue.get(name), port)]
    return f"stages that do: {', '.join(names[:8])}" if names else ""


def _yields(stage: Any, port: InputPort) -> bool:
    from visionkit.stage.ports import ports_of

    try:
        ports = ports_of(stage)
    except TypeError:
        return False
    gives = any(accepts(port, out.type) for out in ports.outputs)
    takes = any(accepts(port, t) for p in ports.inputs if not p.optional for t in p.types)
    return gives and not takes
