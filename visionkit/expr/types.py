"""What a name in an expression stands for, known before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from visionkit.frozen import Frozen


class Kind(Enum):
    """The kinds of value; the text is what messages call them. Every value may also be null."""

    NUMBER = "a number"
    BOOL = "true or false"
    TEXT = "a text"
    ANY = "a value of unknown kind"


class Type(Frozen):
    """One value, or (``per_row``) one value for each object: a whole column."""

    kind: Kind
    per_row: bool = False

    def __str__(self) -> str:
        return f"{self.kind.value} per row" if self.per_row else self.kind.value


class Record(Frozen):
    """Named columns and nested records, such as detections.

    Attributes:
        fields: its columns.
        noun: what messages call it.
        column: it is itself one of the columns in scope: its rows go together with those of the others.
    """

    fields: Mapping[str, Type | Record]
    noun: str = "value"
    column: bool = False


def with_rows(entry: Type | Record, per_row: bool) -> Type | Record:
    """``entry`` and everything in it as columns (``per_row``) or as scalars."""
    if isinstance(entry, Type):
        return Type(entry.kind, per_row)
    return Record({name: with_rows(part, per_row) for name, part in entry.fields.items()}, entry.noun)


Scope = Mapping[str, Type | Record]
"""Every name an expression may use, with what it stands for."""
