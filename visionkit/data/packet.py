"""Packets: what one frame is on its way through a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from fractions import Fraction
from typing import Any, Final, Literal

from visionkit.frozen import Frozen


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


Absent = Literal[_Absent.ABSENT]
ABSENT: Final = _Absent.ABSENT
"""The value of a stage that did not run on a packet: not the same as an empty result."""


class Key(Frozen, order=True):
    """Which frame of which source: ``index`` counts frames of the source from 0, dropped ones too."""

    source: str
    session: int = 0
    index: int = 0
    variant: int = 0

    def __str__(self) -> str:
        tail = f"~{self.variant}" if self.variant else ""
        return f"{self.source}[{self.session}:{self.index}]{tail}"


class Failure(Frozen):
    """Why a packet became a tombstone: the stage (or "source"), its error code and message."""

    stage: str
    code: str
    message: str


class Packet(Frozen):
    """One frame and everything found out about it.

    Attributes:
        key: source, session, index, variant.
        pts: time since the start of the source in seconds, exact; None for pictures.
        path: the file the frame came from, or None.
        values: results by stage id; :data:`ABSENT` where a stage did not run. ``source`` is the frame itself.
        failure: set on a tombstone: a packet that a stage failed on.
    """

    key: Key
    pts: Fraction | None = None
    path: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def is_tombstone(self) -> bool:
        return self.failure is not None
