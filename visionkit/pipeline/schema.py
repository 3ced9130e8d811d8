"""The JSON Schema of pipeline files, for editors.

An item of a list is one object with ``maxProperties: 1`` and a property per stage, not a ``oneOf`` of stages: that is
what lets editors complete names and parameters in block style. Every scalar also accepts ``$name``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from visionkit.pipeline.outputs import RunSettings
from visionkit.stage.catalogue import sinks, stages

VARIABLE = {"type": "string", "pattern": r"^\$[A-Za-z_]\w*$", "description": "A variable of this file."}
EXPRESSION: dict[str, Any] = {
    "type": ["string", "boolean", "number"],
    "description": "An expression, such as cars.count > 0.",
}
ID = {
    "type": "string",
    "pattern": r"^[A-Za-z_]\w*$",
    "description": "The name other stages and expressions call it by.",
}
IN = {
    "description": "The values it takes: an id, a list of ids, or input: id. By default the nearest of the right type.",
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array"}]}},
    ],
}
FLAG = {"anyOf": [{"type": "boolean"}, VARIABLE]}
RESERVED: dict[str, Any] = {
    "id": ID,
    "in": IN,
    "when": {**EXPRESSION, "description": "Run only where this is true."},
    "enabled": {**FLAG, "description": "false leaves the stage out."},
    "on_error": {"enum": ["skip", "stop"], "description": "What a failing packet does."},
}


def pipeline_schema() -> dict[str, Any]:
    """The schema of a whole file: JSON Schema draft 7, for YAML language servers."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "visionkit pipeline",
        "type": "object",
        "additionalProperties": False,
        "required": ["stages"],
        "properties": {
            "version": {"const": 1, "description": "The version of the language."},
            "description": {"type": "string", "description": "What the pipeline is for."},
            "vars": {"type": "object", "description": "Variables: $name below, --set name=value on the command line."},
            "stages": {"$ref": "#/definitions/stages"},
            "outputs": {"type": "array", "items": {"$ref": "#/definitions/output"}, "description": "Where results go."},
            "exports": {"type": "array", "items": {"type": "string"}, "description": "Ids that a using file gets."},
            "run": _model(RunSettings, {}, "Settings that change speed, never results."),
        },
        "definitions": {
            "stages": {"type": "array", "items": {"$ref": "#/definitions/stage"}, "description": "Stages, in order."},
            "stage": _item({**_stage_models(), **_language_items()}),
            "output": _item({name: _sink(name) for name in sinks().names()}),
        },
    }


def _item(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "anyOf": [
            {"type": "string", "enum": list(properties)},
            {
                "type": "object",
                "properties": properties,
                "maxProperties": 1,
                "minProperties": 1,
                "additionalProperties": False,
            },
        ]
    }


def _stage_models() -> dict[str, Any]:
    catalogue = stages()
    found = {}
    for name in catalogue.names():
        stage = catalogue.get(name)
        found[name] = _model(stage.Params, RESERVED, summary(stage))
    return found


def _sink(name: str) -> dict[str, Any]:
    sink = sinks().get(name)
    keys = {key: RESERVED[key] for key in ("id", "in", "when", "enabled")}
    return _model(sink.Params, keys, summary(sink))


def _language_items() -> dict[str, Any]:
    every = {
        "description": "How often an object is run.",
        "anyOf": [
            {"type": "integer", "minimum": 1},
            VARIABLE,
            {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "frames": {"anyOf": [{"type": "integer", "minimum": 1}, VARIABLE]},
                    "seconds": {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, VARIABLE]},
                    "per": {"const": "track"},
                },
            },
        ],
    }
    for_each = {
        **RESERVED,
        "as": {"type": "string", "description": "What expressions call the object."},
        "pad": {"anyOf": [{"type": "number"}, VARIABLE], "description": "Added on each side, as a share of the box."},
        "every": every,
        "until": {**EXPRESSION, "description": "Once true, the track is run no more."},
        "set": {
            "type": "object",
            "additionalProperties": EXPRESSION,
            "description": "Columns of the objects: vote(x), best(x), last(x), mean(x).",
        },
        "stages": {"$ref": "#/definitions/stages"},
    }
    use = {**RESERVED, "file": {"type": "string"}, "vars": {"type": "object"}}
    python = {**RESERVED, "file": {"type": "string"}, "function": {"type": "string"}, "with": {"type": "object"}}
    return {
        "for_each": _object(for_each, ["stages"], "Run a list of stages on the crop of every object."),
        "use": _object(use, ["file"], "Run another pipeline file here."),
        "python": _object(python, ["file", "function"], "Run a function of your own (--allow-code)."),
    }


def _object(properties: dict[str, Any], required: list[str], description: str) -> dict[str, Any]:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
        "description": description,
    }


def _model(model: type[BaseModel], extra: Mapping[str, Any], description: str) -> dict[str, Any]:
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    fields = {name: _or_variable(_inlined(field, definitions)) for name, field in schema.get("properties", {}).items()}
    whole = _object({**fields, **extra}, list(schema.get("required", [])), description)
    return {**whole, "type": ["object", "null"]} if not whole["required"] else whole


def _or_variable(field: dict[str, Any]) -> dict[str, Any]:
    if field.get("type") == "string" or ("description" not in field and not field):
        return field
    outer: dict[str, Any] = {k: field[k] for k in ("description", "default", "title") if k in field}
    inner = {k: v for k, v in field.items() if k not in outer}
    return {**outer, "anyOf": [*inner.pop("anyOf", [inner]), VARIABLE]}


def _inlined(value: Any, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """The schema without ``$ref`` into the model's own definitions."""
    if isinstance(value, dict):
        if "$ref" in value and depth < 8:
            target = definitions.get(str(value["$ref"]).rpartition("/")[2], {})
            rest = {k: v for k, v in value.items() if k != "$ref"}
            return {**_inlined(target, definitions, depth + 1), **rest}
        return {k: _inlined(v, definitions, depth) for k, v in value.items() if k != "x-visionkit"}
    return [_inlined(v, definitions, depth) for v in value] if isinstance(value, list) else value


def summary(described: Any) -> str:
    """The first line of a docstring."""
    return str(described.__doc__ or "").strip().split("\n")[0]
