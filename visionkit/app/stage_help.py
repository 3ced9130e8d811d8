"""``visionkit stages``: what there is, and how one stage is used."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel

from visionkit.pipeline.schema import SHARED, summary
from visionkit.stage.base import BatchStage, ScanStage
from visionkit.stage.ports import noun, ports_of


class Parameter(NamedTuple):
    """A parameter in words."""

    name: str
    type: str
    default: str
    description: str


def listing(stages: Mapping[str, Any]) -> str:
    """One line a stage, families apart."""
    width = max((len(name) for name in stages), default=0)
    lines: list[str] = []
    family = ""
    for name, stage in stages.items():
        if name.partition(".")[0] != family:
            family = name.partition(".")[0]
            lines += [""] if lines and "." in name else []
        lines.append(f"{name.ljust(width)}  {summary(stage)}")
    return "\n".join(lines)


def describe(name: str, stage: Any) -> str:
    """Everything about one stage."""
    lines = [f"{name}: {summary(stage)}", ""]
    lines += (inspect.getdoc(stage) or "").split("\n")[2:]
    lines += ["", *(f"{word:<7} {text}" for word, text in wiring(stage).items())]
    return "\n".join([*lines, *_parameters(stage.Params)])


def describe_output(name: str, sink: Any) -> str:
    """Everything about one output."""
    lines = [f"{name}: {summary(sink)}", *(inspect.getdoc(sink) or "").split("\n")[1:]]
    return "\n".join([*lines, "", "stands under outputs:", *_parameters(sink.Params)])


def describe_item(name: str, schema: Mapping[str, Any]) -> str:
    """``for_each``, ``use`` or ``python``, from its schema."""
    lines = [f"{name}: {schema['description']}", "", "keys"]
    for key, part in schema["properties"].items():
        lines += [f"  {key}{' (required)' if key in schema['required'] else ''}"]
        known = SHARED.get(key, {}) if "$ref" in part else part
        lines += [f"      {known['description']}"] if "description" in known else []
    return "\n".join(lines)


def _parameters(model: type[BaseModel]) -> list[str]:
    lines = ["", "parameters"]
    for parameter in parameters(model):
        lines.append(f"  {parameter.name}: {parameter.type} ({parameter.default})")
        lines += [f"      {parameter.description}"] if parameter.description else []
    return lines if model.model_fields else [*lines, "  none"]


def wiring(stage: Any) -> dict[str, str]:
    """What a stage takes and gives, and how it is run."""
    ports = ports_of(stage)
    takes = [
        f"{p.name}: {p.noun}{' (may be absent)' if p.optional else ''}{' (several)' if p.variadic else ''}"
        for p in ports.inputs
        if not p.of_packet
    ]
    gives = [f"{p.name}: {noun(p.type)}" if p.name else noun(p.type) for p in ports.outputs]
    runs = (
        "in batches" if issubclass(stage, BatchStage) else "in order" if issubclass(stage, ScanStage) else "in parallel"
    )
    return {"takes": ", ".join(takes), "gives": ", ".join(gives), "runs": runs}


def parameters(model: type[BaseModel]) -> list[Parameter]:
    """The parameters of a stage or an output, in words."""
    schemas = model.model_json_schema().get("properties", {})
    return [
        Parameter(
            name,
            _type(schemas[name]),
            "required" if info.is_required() else f"default {_shown(info.default)}",
            info.description or "",
        )
        for name, info in model.model_fields.items()
    ]


def _type(schema: Mapping[str, Any]) -> str:
    """A parameter's JSON Schema in words: ``"read" | "recognize"``, ``list of text``."""
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(part) for part in schema["anyOf"] if part.get("type") != "null"))
    kind = str(schema.get("type", "value"))
    if kind == "array":
        inner = schema.get("items")
        return f"list of {_type(inner)}" if isinstance(inner, Mapping) and inner else "list"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}
    return words.get(kind, kind) + _range(schema)


def _range(schema: Mapping[str, Any]) -> str:
    """The bounds of a number: `` from 0 to 1``, `` above 0``."""
    bounds = (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
    return "".join(f" {word} {schema[name]:g}" for name, word in bounds if name in schema)


def _shown(value: Any) -> str:
    """A default as a pipeline file writes it."""
    value = getattr(value, "text", value)
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_shown, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
