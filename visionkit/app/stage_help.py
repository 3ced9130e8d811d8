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
    for field, info in stage.Params.model_fields.items():
        default = "required" if info.is_required() else f"default {_shown(info.default)}"
        lines.append(f"  {field}: {_type(info)} ({default})")
        lines += [f"      {info.description}"] if info.description else []
    if not stage.Params.model_fields:
        lines.append("  none")
    return "\n".join(lines)


def _type(info: Any) -> str:
    return str(info.annotation).replace("typing.", "").removeprefix("<class '").removesuffix("'>").rpartition(".")[2]


def _shown(value: Any) -> str:
    return repr(getattr(value, "text", value))
