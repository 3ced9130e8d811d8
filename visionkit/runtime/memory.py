"""What ``for_each`` remembers of tracks: when each was last run, its readings, what the gate may know of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from visionkit.expr import Kind, Record, Type
from visionkit.frozen import Frozen
from visionkit.lazy import np
from visionkit.pipeline.plan import Cadence, ForEachNode, SetColumn

FORGET_AFTER = 1000
"""Packets after which a track that was not seen again is forgotten."""

Mark = int | Fraction
Reading = dict[str, Any]


@dataclass
class GateTrack:
    """The gate's side of one track."""

    last_run: Mark | None = None
    done: bool = False
    known: Reading = field(default_factory=dict)
    seen: int = 0


@dataclass
class FoldTrack:
    """The fold's side: the state of every setter."""

    states: list[Any]
    seen: int = 0


class Update(Frozen):
    """What the fold learned at one packet, for the gate: columns per track."""

    mark: Mark
    tracks: dict[int, Reading]


class Mailbox:
    """Updates on their way from fold to gate, and the packets that have not been folded yet.

    The gate appends marks as packets pass it, the fold removes them in the same order; each end has one thread.
    """

    def __init__(self) -> None:
        self.outstanding: deque[Mark] = deque()
        self.updates: deque[Update] = deque()

    def folded(self, mark: Mark, tracks: dict[int, Reading]) -> None:
        if tracks:
            self.updates.append(Update(mark, tracks))
        self.outstanding.popleft()

    def has_seen(self, limit: Mark) -> bool:
        """True if every packet up to ``limit`` has been folded."""
        return not self.outstanding or self.outstanding[0] > limit

    def take(self, limit: Mark) -> list[Update]:
        """The updates up to ``limit``, oldest first; later ones stay."""
        found = []
        while self.updates and self.updates[0].mark <= limit:
            found.append(self.updates.popleft())
        return found


def is_due(cadence: Cadence | None, last: Mark | None, index: int, pts: Fraction | None) -> bool:
    """Whether the cadence allows a run now."""
    if cadence is None or last is None:
        return True
    if cadence.frames is not None:
        return index - last >= cadence.frames
    return pts is None or pts - last >= (cadence.seconds or 0)


def cadence_mark(cadence: Cadence | None, index: int, pts: Fraction | None) -> Mark:
    """What ``last_run`` stores: the index, or the time if the cadence is in seconds."""
    return pts if cadence is not None and cadence.seconds is not None and pts is not None else index


def columns_of(setters: tuple[SetColumn, ...], types: dict[str, Any], readings: list[Reading]) -> dict[str, Any]:
    """Readings (N) as columns (N,): ``plate.text``, ``plate.score`` for a record, ``plate`` for a plain value."""
    made: dict[str, Any] = {}
    for setter in setters:
        type_ = types[setter.name]
        if isinstance(type_, Record):
            for name in setter.fields:
                values = [(r.get(setter.name) or {}).get(name) for r in readings]
                made[f"{setter.name}.{name}"] = _column(type_.fields[name], values)
        else:
            made[setter.name] = _column(type_, [r.get(setter.name) for r in readings])
    return made


def _column(type_: Type | Record, values: list[Any]) -> Any:
    number = isinstance(type_, Type) and type_.kind is Kind.NUMBER
    if number:
        return np.array([np.nan if v is None else float(v) for v in values], dtype=float)
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


class LaneMemory:
    """What gate and fold of one lane know, and the mail between them. A new session starts a new one."""

    def __init__(self, session: tuple[str, int]) -> None:
        self.session = session
        self.gate: dict[int, GateTrack] = {}
        self.fold: dict[int, FoldTrack] = {}
        self.last_run: Mark | None = None
        self.packets = 0
        self.mail = Mailbox()


def setter_types(node: ForEachNode) -> dict[str, Any]:
    """What each setter's name stands for, from the values of the body."""
    from visionkit.pipeline.conditions import scope_of

    scope = scope_of(node.body.values)
    return {s.name: s.setter.type(scope) for s in node.setters}
