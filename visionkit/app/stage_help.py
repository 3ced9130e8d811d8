"""``visionkit stages``: what there is, and how one stage is used."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from visionkit.pipeline.schema import summary
from visionkit.stage.base import BatchStage, ScanStage
from visionkit.stage.ports import noun, ports_of


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
    ports = ports_of(stage)
    lines = [f"{name}: {summary(stage)}", ""]
    lines += (inspect.getdoc(stage) or "").split("\n")[2:]
    takes = [
        f"{p.name}: {p.noun}{' (may be absent)' if p.optional else ''}{' (several)' if p.variadic else ''}"
        for p in ports.inputs
    ]
    gives = [f"{p.name}: {noun(p.type)}" if p.name else noun(p.type) for p in ports.outputs]
    runs = (
        "in batches" if issubclass(stage, BatchStage) else "in order" if issubclass(stage, ScanStage) else "in parallel"
    )
    lines += ["", f"takes   {', '.join(takes)}", f"gives   {', '.join(gives)}", f"runs    {runs}", "", "parameters"]
    fields = stage.Params.model_json_schema().get("properties", {})
    for field, info in stage.Params.model_fields.items():
        default = "required" if info.is_required() else f"default {_shown(info.default)}"
        lines.append(f"  {field}: {_type(fields[field])} ({default})")
        lines += [f"      {info.description}"] if info.description else []
    if not stage.Params.model_fields:
        lines.append("  none")
    return "\n".join(lines)


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
    return {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "mapping"}.get(
        kind, kind
    )


def _shown(value: Any) -> str:
    return repr(getattr(value, "text", value))
