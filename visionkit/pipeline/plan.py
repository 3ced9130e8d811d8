"""The compiled pipeline: frozen, wired, typed. What ``visionkit explain`` prints and the engine runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from fractions import Fraction
from typing import Any, Literal

from visionkit.errors import Position
from visionkit.expr import Expression, Record, Setter, Template, Type
from visionkit.frozen import Frozen
from visionkit.stage.base import BatchStage, MapStage, ScanStage, Stage, StageParams

Kind = Literal["map", "batch", "scan"]
SOURCE = 0
"""The slot of the untouched frame (in a nested list: of the crop)."""


class Value(Frozen):
    """One named value of a plan and the slot it lives in.

    ``plane`` names the pixel plane it lies on: "source" wherever it can be lifted to the frame, otherwise the id of
    the stage that left the frame. ``columns`` are those that stages added to detections.
    """

    id: str
    type: type
    slot: int
    producer: str
    columns: Mapping[str, Type | Record] = field(default_factory=dict)
    plane: str = "source"


class Binding(Frozen):
    """An input port and the slots it reads: one, or several if it is variadic, none if nothing feeds it.

    ``of_packet`` names what the engine fills it with instead: the packet's "key", or the "info" of its source.
    """

    port: str
    slots: tuple[int, ...]
    optional: bool = False
    variadic: bool = False
    why: str = ""
    of_packet: str = ""


class Condition(Frozen):
    """A checked ``when`` expression and the slots of the values it names."""

    expression: Expression
    slots: Mapping[str, int]


class StageNode(Frozen):
    """One stage of the plan. ``bypass`` is the slot that passes through when the stage does not run."""

    id: str
    name: str
    stage: type[Stage[Any]]
    params: StageParams
    bindings: tuple[Binding, ...]
    outputs: tuple[int, ...]
    ports: tuple[str, ...] = ("",)
    when: Condition | None = None
    on_error: Literal["skip", "stop"] | None = None
    bypass: int | None = None
    position: Position | None = None

    def reads(self) -> list[int]:
        """All slots it reads."""
        slots = [slot for binding in self.bindings for slot in binding.slots]
        return [*slots, *(self.when.slots.values() if self.when else ())]

    @property
    def kind(self) -> Kind:
        for kind, base in (("batch", BatchStage), ("scan", ScanStage), ("map", MapStage)):
            if issubclass(self.stage, base):
                return kind  # type: ignore[return-value]
        raise TypeError(f"{self.stage.__name__} is neither a MapStage, a BatchStage nor a ScanStage")


class Cadence(Frozen):
    """``every``: once per ``frames`` (source indices) or ``seconds`` (pts), for each track or for all objects."""

    frames: int | None = None
    seconds: Fraction | None = None
    per_track: bool = False


class SetColumn(Frozen):
    """``set: {name: setter}``; ``slots`` are the body values the setter reads."""

    name: str
    setter: Setter
    slots: Mapping[str, int]
    fields: tuple[str, ...] = ()


class ForEachNode(Frozen):
    """A nested list run on the crop of every object: Gate → body → Fold.

    ``lag`` is D: the gate at packet t sees the folds up to t − D (in packets, or seconds by pts); None where nothing
    it asks depends on them. ``exports`` maps slots of this scope to slots of the body.
    """

    id: str
    objects: int
    image: int
    output: int
    name: str
    pad: float
    body: Scope
    when: Condition | None = None
    until: Condition | None = None
    every: Cadence | None = None
    setters: tuple[SetColumn, ...] = ()
    exports: tuple[tuple[int, int], ...] = ()
    tracked: bool = False
    lag: int | Fraction | None = None
    on_error: Literal["skip", "stop"] | None = None
    position: Position | None = None
    kind: Literal["for_each"] = "for_each"

    def reads(self) -> list[int]:
        """All slots of its own scope it reads."""
        return [self.objects, self.image, *(slot for c in (self.when, self.until) if c for slot in c.slots.values())]

    @property
    def outputs(self) -> tuple[int, ...]:
        return (self.output, *(slot for slot, _ in self.exports))

    @property
    def remembers(self) -> bool:
        """True if state lives from packet to packet."""
        return self.tracked and bool(self.setters or self.every)


Node = StageNode | ForEachNode


class Scope(Frozen):
    """A list of nodes over slots of its own. Slot 0 is the picture that comes in."""

    nodes: tuple[Node, ...]
    values: tuple[Value, ...]
    size: int

    def walk(self) -> Iterator[Node]:
        """All nodes, nested ones after the one that holds them."""
        for node in self.nodes:
            yield node
            if isinstance(node, ForEachNode):
                yield from node.body.walk()


class OutputNode(Frozen):
    """One output: the sink's class and parameters, and the values it gets by name."""

    id: str
    name: str
    sink: type[Any]
    params: StageParams
    values: Mapping[str, int]
    when: Condition | None = None
    position: Position | None = None


class Plan(Frozen):
    """A pipeline ready to run.

    Attributes:
        contents: of weights and of files the user names: name or path → what identifies the content.
        variants: how often each input is run, where the file says so.
    """

    file: str
    description: str
    root: Scope
    outputs: tuple[OutputNode, ...]
    variables: Mapping[str, Any] = field(default_factory=dict)
    contents: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    variants: int | None = None

    @property
    def hash(self) -> str:
        """Identifies what is computed: stages, parameters, weights and files, not run settings or outputs."""
        text = json.dumps([_canonical(self.root), dict(sorted(self.contents.items()))], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def hides(self) -> bool:
        """Whether a stage makes things unrecognisable."""
        return any(isinstance(node, StageNode) and node.stage.hides for node in self.walk())

    def walk(self) -> Iterator[Node]:
        return self.root.walk()

    def fingerprints(self) -> dict[str, str]:
        """For each node of the list: a hash of it and of everything upstream. Equal ones compute the same."""
        made: dict[int, str] = {SOURCE: "source"}
        found: dict[str, str] = {}
        for node, row in zip(self.root.nodes, _canonical(self.root, wires=False), strict=True):
            upstream = [made[slot] for slot in node.reads()]
            text = json.dumps([row, upstream, self.contents], sort_keys=True, default=str)
            found[node.id] = hashlib.sha256(text.encode()).hexdigest()[:16]
            made |= {slot: f"{found[node.id]}:{i}" for i, slot in enumerate(node.outputs)}
        return found


def _canonical(scope: Scope, wires: bool = True) -> list[Any]:
    """Nodes as plain data; without ``wires`` their own slot numbers are left out."""
    rows: list[Any] = []
    for node in scope.nodes:
        if isinstance(node, StageNode):
            params = node.params.model_dump(mode="json")
            when = node.when and node.when.expression.text
            slots: Any = [[b.slots for b in node.bindings], node.outputs] if wires else [b.port for b in node.bindings]
            rows.append([node.name, params, slots, when])
        else:
            conditions = [c and c.expression.text for c in (node.when, node.until)]
            setters = [[s.name, s.setter.text] for s in node.setters]
            slots = [node.objects, node.image, node.output, node.exports] if wires else []
            rows.append(["for_each", node.pad, conditions, str(node.every), setters, slots, _canonical(node.body)])
    return rows


__all__ = [
    "SOURCE",
    "Binding",
    "Cadence",
    "Condition",
    "ForEachNode",
    "Node",
    "OutputNode",
    "Plan",
    "Scope",
    "SetColumn",
    "StageNode",
    "Template",
    "Value",
]
