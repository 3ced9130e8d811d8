"""What the engine moves: one packet on its way, or one object of a packet inside ``for_each``."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from visionkit.data import Failure, Image, Key, Packet
from visionkit.stage.source import Gap, SourceInfo


class Lane:
    """One ordered stream of packets: what a :class:`~visionkit.stage.source.Source` yields."""

    __slots__ = ("index", "name")

    def __init__(self, index: int, name: str) -> None:
        self.index = index
        self.name = name


class Token:
    """A packet in work. ``values`` are the slots of its scope; ``end`` marks the end of ``info``, with no values.

    ``whole`` says of an end that all packets of the source came before it. ``gap`` marks a time without frames.

    Inside ``for_each`` a token is one object: ``parent`` is the packet it was cut from, ``row`` the object's index,
    ``depth`` how deep it is nested.
    ``work`` counts the nanoseconds that stages spent on it; the fold adds those on its objects.
    A parent waits in the fold until ``pending`` children have come; they are kept in ``children``.
    """

    __slots__ = (
        "captured",
        "children",
        "cost",
        "depth",
        "end",
        "failure",
        "failures",
        "gap",
        "info",
        "key",
        "lane",
        "load",
        "memory",
        "parent",
        "pending",
        "prepared",
        "pts",
        "row",
        "seq",
        "values",
        "whole",
        "work",
    )

    def __init__(self, lane: Lane, seq: int, key: Key, info: SourceInfo, size: int, blank: Any) -> None:
        self.lane = lane
        self.seq = seq
        self.key = key
        self.info = info
        self.values: list[Any] = [blank] * size
        self.pts: Fraction | None = None
        self.load: Callable[[], Image] | None = None
        self.cost = 0
        self.end = False
        self.whole = False
        self.gap: Gap | None = None
        self.captured: float | None = None
        self.failure: Failure | None = None
        self.failures: list[Failure] | None = None
        self.prepared: list[Any] | None = None
        self.parent: Token | None = None
        self.row = -1
        self.pending = 0
        self.children: list[Token] | None = None
        self.depth = 0
        self.memory: Any = None
        self.work = 0

    @property
    def alive(self) -> bool:
        """True if stages should run on it."""
        return self.failure is None and not self.end and self.gap is None

    @property
    def is_frame(self) -> bool:
        """True for a packet, False for what only says something about its source."""
        return not self.end and self.gap is None

    def root(self) -> Token:
        """The packet this token was cut from, itself outside ``for_each``."""
        token = self
        while token.parent is not None:
            token = token.parent
        return token

    def packet(self, values: dict[str, Any]) -> Packet:
        """The public face of this token."""
        return Packet(self.key, self.pts, self.info.path, values, self.failure)

    def plain_names(self) -> dict[str, Any]:
        """What expressions may ask of the packet itself."""
        key = self.key
        pts = None if self.pts is None else float(self.pts)
        return {"index": key.index, "pts": pts, "session": key.session, "source_name": self.info.name}
