"""A slider or a field for every parameter of a stage, from the stage's own model.

What may be changed is decided by type: numbers, flags, choices, colours, lists of numbers, and texts of our own small
language. Weights, files, code and free texts are shown and stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal, get_args

from pydantic import ValidationError

from visionkit.expr import Expression, Template
from visionkit.frozen import Frozen
from visionkit.pipeline.plan import ForEachNode, Scope, StageNode
from visionkit.stage.base import StageParams

Kind = Literal["range", "flag", "choice", "color", "text", "list", "fixed"]
LISTS_OF_NAMES = frozenset({"classes", "titles"})
"""Lists of texts that are compared or drawn, never opened."""
FIXED = "set it in the file"


class Control(Frozen):
    """One parameter as the page shows it.

    Attributes:
        kind: how it is shown; "fixed" cannot be changed.
        value: what it is now, as JSON.
        optional: it may be null.
        low, high, step: of a slider; the field beside it takes whatever the parameter does.
        choices: of a list to choose from, or suggestions for a text.
        note: why it is fixed, or which variable it belongs to.
    """

    name: str
    kind: Kind
    value: Any
    description: str = ""
    optional: bool = False
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[Any, ...] = ()
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def stage_nodes(scope: Scope, prefix: str = "") -> Iterator[tuple[str, StageNode]]:
    """All stages of a plan by a name of their own: the id, below a ``for_each`` behind its id: ``read/text``."""
    for node in scope.nodes:
        if isinstance(node, ForEachNode):
            yield from stage_nodes(node.body, f"{prefix}{node.id}/")
        else:
            yield f"{prefix}{node.id}", node


def controls(node: StageNode) -> list[Control]:
    """The parameters of a stage, in the order of its model."""
    if node.name == "python":
        return []
    schema = node.params.model_json_schema()
    fields = schema.get("properties", {})
    return [_control(node.params, name, fields.get(name, {}), schema.get("$defs", {})) for name in _names(node.params)]


def _names(params: StageParams) -> list[str]:
    return list(type(params).model_fields)


def _control(params: StageParams, name: str, field: dict[str, Any], definitions: dict[str, Any]) -> Control:
    info = type(params).model_fields[name]
    options = [_resolved(part, definitions) for part in field.get("anyOf", [field])]
    optional = any(part.get("type") == "null" for part in options)
    options = [part for part in options if part.get("type") != "null"]
    made = Control(name, "fixed", plain_value(params, name), info.description or "", optional, note=FIXED)
    types = {info.annotation, *get_args(info.annotation)}
    if types & {Expression, Template}:
        return _with(made, "text")
    if len(options) == 1:
        return _single(made, options[0], params)
    shapes = [_shape(part) for part in options]
    if shapes == ["string", "integers"]:
        return _with(made, "color")
    if shapes == ["choice", "string", "integers"]:
        return _with(made, "text", choices=tuple(options[0]["enum"]))
    return _with(made, "list") if set(shapes) <= {"number", "numbers", "integer", "integers"} else made


def _single(made: Control, part: dict[str, Any], params: StageParams) -> Control:
    shape = _shape(part)
    if shape == "choice":
        return _with(made, "choice", choices=tuple(part["enum"]))
    if shape == "boolean":
        return _with(made, "flag")
    if shape in ("integer", "number"):
        return _slider(made, part, params)
    named = shape == "strings" and made.name in LISTS_OF_NAMES
    return _with(made, "list") if named or shape in ("integers", "numbers") else made


def _resolved(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    return definitions.get(str(part["$ref"]).rpartition("/")[2], part) if "$ref" in part else part


def _shape(part: dict[str, Any]) -> str:
    if "enum" in part:
        return "choice"
    if part.get("type") != "array":
        return str(part.get("type"))
    inner: dict[str, Any] = part.get("items") or next(iter(part.get("prefixItems", [])), {})
    return f"{inner.get('type')}s"


def _with(made: Control, kind: Kind, **changes: Any) -> Control:
    return Control(**{**made.as_json(), "kind": kind, "note": "", **changes})


def _slider(made: Control, part: dict[str, Any], params: StageParams) -> Control:
    """A slider over the allowed range; where that has no end, or is very long, over what is usual."""
    whole = part["type"] == "integer"
    default = type(params).model_fields[made.name].default
    known = [abs(v) for v in (made.value, default) if isinstance(v, (int, float)) and math.isfinite(v)]
    usual = max(known, default=0)
    low = part.get("minimum", part.get("exclusiveMinimum"))
    high = part.get("maximum", part.get("exclusiveMaximum"))
    if high is None or high > 16 * usual > 0:
        guess = _round_up(max(4 * usual, 20 if whole else 1) if usual else 100 if whole else 255)
        high = min(high, guess) if high is not None else guess
    if low is None:
        low = -high
    step = 1.0 if whole else 10 ** (math.floor(math.log10(max(1e-9, high - low))) - 2)
    if whole and _only_odd(params, made.name, int(low)):
        step, low = 2.0, int(low) | 1
    if "minimum" not in part and "exclusiveMinimum" in part:
        low += step
    return _with(made, "range", low=low, high=high, step=step)


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * 0.999))


def _only_odd(params: StageParams, name: str, low: int) -> bool:
    odd = (low | 1) + 2
    return _takes(params, name, odd) and _takes(params, name, odd + 2) and not _takes(params, name, odd + 1)


def _takes(params: StageParams, name: str, value: Any) -> bool:
    given = {field: getattr(params, field) for field in _names(params)}
    try:
        type(params).model_validate({**given, name: value})
    except ValidationError:
        return False
    return True


def plain_value(params: StageParams, name: str) -> Any:
    """The value of a parameter as JSON has it."""
    value = getattr(params, name)
    if isinstance(value, (Expression, Template)):
        return value.text
    return params.model_dump(mode="json", include={name}, fallback=str)[name]
