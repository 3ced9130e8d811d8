"""What expressions and templates may ask of each data type, for the checker and at run time, in one table.

Geometry is in source-frame pixels wherever the picture has a place there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from visionkit.data import ABSENT, Detections, Field, Image, Labels, Lines, Matte, Rows, Scores, SemanticMask, TextLines
from visionkit.data.detections import GEOMETRY
from visionkit.expr import Kind, Record, Type
from visionkit.lazy import np

NUMBER, TEXT, ANY = Type(Kind.NUMBER), Type(Kind.TEXT), Type(Kind.ANY)
NUMBERS, TEXTS = Type(Kind.NUMBER, per_row=True), Type(Kind.TEXT, per_row=True)
COUNT: dict[str, Type | Record] = {"count": NUMBER}

_OBJECT: dict[str, Type | Record] = {
    **dict.fromkeys(GEOMETRY, NUMBERS),
    "score": NUMBERS,
    "class_id": NUMBERS,
    "class_name": TEXTS,
}


@cache
def _static_fields() -> dict[type, dict[str, Type | Record]]:
    size: dict[str, Type | Record] = {"width": NUMBER, "height": NUMBER}
    return {
        Image: size,
        Detections: {**_OBJECT, **COUNT},
        Labels: {"class_name": TEXT, "score": NUMBER, **COUNT},
        TextLines: {"text": TEXT, "score": NUMBER, **COUNT},
        Lines: COUNT,
        Matte: {"coverage": NUMBER},
        Field: {"mean": NUMBER, "low": NUMBER, "high": NUMBER},
        SemanticMask: {},
        Rows: COUNT,
    }


def record_of(type_: type, extra: Mapping[str, Type | Record] | None = None) -> Record:
    """The fields of a value of ``type_`` plus columns that stages added."""
    for known, fields in _static_fields().items():
        if issubclass(type_, known):
            return Record({**fields, **(extra or {})}, noun=type_.__name__)
    return Record(dict(extra or {}), noun=type_.__name__)


class Null:
    """Stands for an absent value: every field of it is null."""

    def field(self, name: str) -> Any:
        return None


class _Reader:
    """Reads the fields of a result by name."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def field(self, name: str) -> Any:
        return _READERS[name](self._value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "width": lambda v: v.width,
    "height": lambda v: v.height,
    "class_name": lambda v: v.class_name,
    "score": lambda v: v.score,
    "text": lambda v: v.text,
    "count": len,
    "coverage": lambda v: float(v.alpha.mean()),
    "mean": lambda v: float(v.values.mean()),
    "low": lambda v: float(v.values.min()),
    "high": lambda v: float(v.values.max()),
}


class _Objects:
    """Reads columns of detections; ``plate`` opens the columns ``plate.text``, ``plate.score``."""

    def __init__(self, objects: Detections, prefix: str = "") -> None:
        self._objects = objects
        self._prefix = prefix

    def field(self, name: str) -> Any:
        full = self._prefix + name
        if full == "count":
            return len(self._objects)
        column = self._objects.column(full)
        if column is not None:
            return column
        if any(key.startswith(full + ".") for key in self._objects.columns):
            return _Objects(self._objects, full + ".")
        return np.full(len(self._objects), None, dtype=object)


class _Scores:
    """Reads scores by name; ``door`` opens ``door.in``, ``door.out``."""

    def __init__(self, scores: Scores, prefix: str = "") -> None:
        self._scores = scores
        self._prefix = prefix

    def field(self, name: str) -> Any:
        values = self._scores.values
        full = self._prefix + name
        if full not in values and any(key.startswith(full + ".") for key in values):
            return _Scores(self._scores, full + ".")
        return values.get(full)


class _Branch:
    """A value (or nothing) and the values called ``id.name`` below it."""

    def __init__(self, own: Any, below: Mapping[str, Any]) -> None:
        self._own = own
        self._below = Environment(below)

    def field(self, name: str) -> Any:
        return self._below[name] if name in self._below else self._own.field(name)


def reader(value: Any) -> Any:
    """The run-time counterpart of :func:`record_of`: an object with ``field(name)``."""
    if value is None or value is ABSENT:
        return Null()
    if isinstance(value, Detections):
        return _Objects(value if value.canvas.to_frame is None else value.lifted())
    if isinstance(value, Scores):
        return _Scores(value)
    return _Reader(value)


class Environment(Mapping[str, Any]):
    """Names → readers, made when asked for."""

    def __init__(self, values: Mapping[str, Any], plain: Mapping[str, Any] | None = None) -> None:
        self._values = values
        self._plain = plain or {}

    def __getitem__(self, name: str) -> Any:
        if name in self._plain:
            return self._plain[name]
        below = {key[len(name) + 1 :]: self._values[key] for key in self._values if key.startswith(name + ".")}
        if below:
            return _Branch(reader(self._values.get(name)), below)
        return reader(self._values[name])

    def __iter__(self) -> Any:
        yield from dict.fromkeys([*self._plain, *(name.partition(".")[0] for name in self._values)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


class ObjectEnvironment(Environment):
    """What the parameters of a stage that takes detections may ask: columns by bare name, ports by theirs."""

    def __init__(self, objects: Detections, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(values or {})
        self._columns = reader(objects)

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(name) if name in self._values else self._columns.field(name)
