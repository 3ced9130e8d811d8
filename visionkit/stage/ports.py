"""Ports: the typed inputs and outputs of a stage, read from the signature of ``run``."""

from __future__ import annotations

import collections.abc
import inspect
import types
from dataclasses import replace
from functools import cache
from types import MappingProxyType
from typing import Any, Union, get_args, get_origin, get_type_hints

from visionkit.data import Key
from visionkit.frozen import Frozen
from visionkit.stage.base import BatchStage, Stage
from visionkit.stage.source import SourceInfo

OF_THE_PACKET = MappingProxyType({Key: "key", SourceInfo: "info"})
"""What a stage may ask of the packet itself: types of ports that the engine fills and ``in:`` cannot name."""


class InputPort(Frozen):
    """An input of ``run``.

    ``types`` are in order of preference; ``optional`` takes absent as None; ``variadic`` takes a tuple of values;
    ``named_only`` (a parameter with a default) is left at None unless ``in:`` names a value for it.
    """

    name: str
    types: tuple[type, ...]
    optional: bool = False
    variadic: bool = False
    named_only: bool = False

    @property
    def of_packet(self) -> str:
        """What of the packet the engine fills it with, "key" or "info"; "" for a port that takes a value."""
        return OF_THE_PACKET.get(self.types[0], "")

    @property
    def noun(self) -> str:
        """The type in words: "detections", "image"."""
        return " or ".join(noun(t) for t in self.types)


class OutputPort(Frozen):
    """``name`` is empty for the one output of a stage that has one."""

    name: str
    type: type


class Ports(Frozen):
    inputs: tuple[InputPort, ...]
    outputs: tuple[OutputPort, ...]


def noun(type_: type) -> str:
    """What a data type is called in messages: ``TextLines`` → "text lines"."""
    name = type_.__name__
    return "".join(f" {c.lower()}" if c.isupper() and i else c.lower() for i, c in enumerate(name))


def ports_of(stage: type[Stage[Any]]) -> Ports:
    """The ports of a stage class.

    Raises:
        TypeError: the signature of ``run`` does not follow the contract; says what to mend.
    """
    target: Any = stage  # for mypy a type is not hashable
    found: Ports = _ports_of(target)
    return found


@cache
def _ports_of(stage: Any) -> Ports:
    run = getattr(stage, "run", None)
    if run is None:
        raise TypeError(f"{stage.__name__} defines no run()")
    hints = get_type_hints(run)
    batch = issubclass(stage, BatchStage)
    parameters = inspect.signature(run).parameters
    names = list(parameters)[1:]
    if not names:
        raise TypeError(f"{stage.__name__}.run takes no input")
    if missing := [n for n in [*names, "return"] if n not in hints]:
        raise TypeError(f"{stage.__name__}.run lacks a type for {', '.join(missing)}")
    inputs = tuple(
        replace(
            _input(stage, name, _item(stage, hints[name], batch)),
            named_only=parameters[name].default is not inspect.Parameter.empty,
        )
        for name in names
    )
    return Ports(inputs, _outputs(stage, _item(stage, hints["return"], batch)))


def _item(stage: type, hint: Any, batch: bool) -> Any:
    if not batch:
        return hint
    if get_origin(hint) not in (collections.abc.Sequence, list):
        raise TypeError(f"{stage.__name__}.run takes and returns Sequence[...], as every BatchStage, got {hint}")
    return get_args(hint)[0]


def _input(stage: type, name: str, hint: Any) -> InputPort:
    variadic = get_origin(hint) is tuple
    if variadic:
        hint = get_args(hint)[0]
    members = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    kinds = tuple(m for m in members if m is not type(None))
    if not all(isinstance(kind, type) for kind in kinds):
        raise TypeError(f"{stage.__name__}.run: port {name!r} has type {hint}, which is not a data type")
    return InputPort(name, kinds, optional=type(None) in members, variadic=variadic)


def _outputs(stage: type, hint: Any) -> tuple[OutputPort, ...]:
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        fields = get_type_hints(hint)
        return tuple(OutputPort(name, fields[name]) for name in hint._fields)
    if not isinstance(hint, type):
        raise TypeError(f"{stage.__name__}.run returns {hint}; a data type or a NamedTuple of them was expected")
    return (OutputPort("", hint),)
