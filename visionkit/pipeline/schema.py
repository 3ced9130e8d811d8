"""The JSON Schema of pipeline files, for editors.

An item of a list is one object with ``maxProperties: 1`` and a property per stage, not a ``oneOf`` of stages: that is
what lets editors complete names and parameters in block style. Every scalar also accepts ``$name``. Checked with the
YAML language server that editors use (``tests/language/test_editor.py``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from visionkit.pipeline.items import OUTPUT_KEYS, STAGE_KEYS, USE_KEYS
from visionkit.pipeline.outputs import RunSettings
from visionkit.resources import resource_dir
from visionkit.stage.catalogue import sinks, stages
from visionkit.stage.params import weights_fields
from visionkit.weights import Catalogue

Schema = dict[str, Any]

VARIABLE: Schema = {"type": "string", "pattern": r"^\$[A-Za-z_]\w*$"}
EXPRESSION: Schema = {"type": ["string", "boolean", "number"]}
_IDS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
SHARED: dict[str, Schema] = {
    "variable": VARIABLE,
    "id": {
        "type": "string",
        "pattern": r"^([A-Za-z_]\w*|\$[A-Za-z_]\w*)$",
        "description": "The name by which other stages and expressions call it. Left out: made from the stage's name.",
    },
    "in": {
        "description": "What it takes: an id, a list of ids, or input: id. Left out: the nearest of the right type.",
        "anyOf": [*_IDS["anyOf"], {"type": "object", "additionalProperties": _IDS}],
    },
    "when": {**EXPRESSION, "description": "Run only where this is true, such as cars.count > 0."},
    "enabled": {
        "anyOf": [{"type": "boolean"}, VARIABLE],
        "description": "false leaves the stage out when the file is compiled.",
    },
    "on_error": {
        "anyOf": [{"enum": ["skip", "stop"]}, VARIABLE],
        "description": "What a failing packet does: it is skipped, or the run stops.",
    },
}
"""What many stages have in common; the rest of the schema refers to it."""


def pipeline_schema() -> Schema:
    """The schema of a whole file: JSON Schema draft 7, for YAML language servers."""
    listed = {name: _stage(name) for name in stages().names()}
    outputs = {name: _sink(name) for name in sinks().names()}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "required": ["stages"],
        "properties": {
            "version": {"const": 1, "description": "The version of the language."},
            "description": {"type": "string", "description": "What the pipeline is for."},
            "vars": {"type": "object", "description": "Variables: $name below, --set name=value on the command line."},
            "stages": {"$ref": "#/definitions/stages"},
            "outputs": {
                "type": "array",
                "items": {"$ref": "#/definitions/output"},
                "description": "Where results go. Left out: media and jsonl.",
            },
            "exports": {**_IDS, "description": "Ids of values that a file with use: gets."},
            "run": _model(RunSettings, {}, "Settings that change speed, never results."),
        },
        "definitions": {
            **SHARED,
            "stages": {"type": "array", "items": {"$ref": "#/definitions/stage"}, "description": "Stages, in order."},
            "stage": _item("stage", {**listed, **language_items()}),
            "output": _item("output", outputs),
        },
    }


def _item(noun: str, properties: dict[str, Schema]) -> Schema:
    """A name, or a name with parameters. Titles are left out: editors would repeat them in every hover."""
    names = [{"const": name, "description": part.get("description", "")} for name, part in properties.items()]
    known: Schema = {"pattern": f"^({'|'.join(re.escape(name) for name in properties)})$"}
    message = f"There is no {noun} of that name."
    return {
        "if": {"type": "string"},
        "then": {"if": known, "then": {"anyOf": names}, "else": {"enum": list(properties), "errorMessage": message}},
        "else": {
            "type": "object",
            "properties": properties,
            "maxProperties": 1,
            "minProperties": 1,
            "additionalProperties": False,
        },
    }


def _shared(*names: str) -> dict[str, Schema]:
    return {name: {"$ref": f"#/definitions/{name}"} for name in names}


def _stage(name: str) -> Schema:
    stage = stages().get(name)
    whole = _model(stage.Params, _shared(*STAGE_KEYS), summary(stage))
    for field in weights_fields(stage.Params):  # what ships with visionkit is offered, any other name or path allowed
        catalogue = Catalogue((resource_dir("weights"),))
        known = catalogue.names(name.partition(".")[0]) or catalogue.names()
        whole["properties"][field]["anyOf"] = [{"enum": list(known)}, {"type": "string"}]
    return whole


def _sink(name: str) -> Schema:
    sink = sinks().get(name)
    return _model(sink.Params, _shared(*OUTPUT_KEYS), summary(sink))


def language_items() -> dict[str, Schema]:
    """``for_each``, ``use`` and ``python``."""
    often: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "frames": _given({"type": "integer", "minimum": 1}, "Frames of the source; those that were dropped count."),
            "seconds": _given({"type": "number", "exclusiveMinimum": 0}, "Time of the source."),
            "per": {"const": "track", "description": "Each track has a cadence of its own."},
        },
    }
    for_each = {
        **_shared(*STAGE_KEYS),
        "as": {"type": "string", "description": "What expressions call the object, and the nested list its crop."},
        "pad": _given({"type": "number"}, "Added on each side of the crop, as a share of the box."),
        "every": {
            "description": "How often an object is run: a number of frames, or {frames: n} or {seconds: s}.",
            "anyOf": [{"type": "integer", "minimum": 1}, VARIABLE, often],
        },
        "until": {**EXPRESSION, "description": "Once this is true of a track, it is run no more."},
        "set": {
            "type": "object",
            "additionalProperties": EXPRESSION,
            "description": "Columns of the objects: name: vote(x), best(x), last(x), mean(x), or an expression.",
        },
        "stages": {"$ref": "#/definitions/stages"},
    }
    use = {
        **_shared(*(key for key in USE_KEYS if key in SHARED)),
        "file": {"type": "string", "description": "A pipeline file with exports:, relative to this one."},
        "vars": {"type": "object", "description": "Values for variables of that file."},
    }
    python = {
        **_shared(*STAGE_KEYS),
        "file": {"type": "string", "description": "A Python file, relative to this one."},
        "function": {"type": "string", "description": "A function of it, or a class that is a stage."},
        "with": {"type": "object", "description": "Further arguments for the function."},
    }
    return {
        "for_each": _object(for_each, ["stages"], "Runs a list of stages on the crop of every object."),
        "use": _object(use, ["file"], "Runs another pipeline file here."),
        "python": _object(python, ["file", "function"], "Runs a function of your own (--allow-code)."),
    }


def _given(schema: Schema, description: str) -> Schema:
    return {"anyOf": [schema, VARIABLE], "description": description}


def _object(properties: dict[str, Schema], required: list[str], description: str) -> Schema:
    return {
        "type": "object" if required else ["object", "null"],
        "additionalProperties": False,
        "properties": properties,
        "required": required,
        "description": description,
    }


def _model(model: type[BaseModel], extra: Mapping[str, Schema], description: str) -> Schema:
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    fields = {name: _field(_plain(field, definitions)) for name, field in schema.get("properties", {}).items()}
    return _object({**fields, **extra}, list(schema.get("required", [])), description)


def _field(field: Schema) -> Schema:
    """One parameter, with its default where a reader sees it."""
    text = str(field.pop("description", ""))
    default = field.pop("default", None)
    outer: Schema = {"description": text}
    if default is not None:
        outer["default"] = default
        shown = repr(default) if not isinstance(default, str) else default
        outer["description"] = f"{text} Default: {shown}.".strip() if len(shown) < 60 and shown else text
    return {**outer, **_or_variable(field)}


def _or_variable(value: Schema) -> Schema:
    """Every scalar, also in lists and mappings, may be ``$name``."""
    made: Schema = {key: [_or_variable(part) for part in value[key]] for key in ("anyOf",) if key in value}
    items = value.get("items")
    if isinstance(items, list):
        made["items"] = [_or_variable(part) for part in items]
    elif isinstance(items, dict):
        made["items"] = _or_variable(items)
    for key in ("properties", "patternProperties"):
        if key in value:
            made[key] = {name: _or_variable(part) for name, part in value[key].items()}
    value = {**value, **made}
    if "anyOf" in value:
        return {**value, "anyOf": [*(part for part in value["anyOf"] if part != VARIABLE), VARIABLE]}
    free = value.get("type") == "string" and not {"enum", "pattern"} & set(value)
    if free or value.get("type") == "null" or not value:
        return value
    return {"anyOf": [value, VARIABLE]}


def _plain(value: Any, definitions: Mapping[str, Any], depth: int = 0) -> Any:
    """The schema in draft 7, without ``$ref`` into the model's own definitions and without pydantic's titles."""
    if isinstance(value, list):
        return [_plain(part, definitions, depth) for part in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value and depth < 8:
        target = definitions.get(str(value["$ref"]).rpartition("/")[2], {})
        rest = {key: part for key, part in value.items() if key != "$ref"}
        return {**_plain(target, definitions, depth + 1), **_plain(rest, definitions, depth)}
    renamed = {"prefixItems": "items"}
    made = {
        renamed.get(key, key): _plain(part, definitions, depth)
        for key, part in value.items()
        if key != "x-visionkit" and not (key == "title" and isinstance(part, str))
    }
    return {**made, "additionalProperties": False} if "patternProperties" in made else made


def summary(described: Any) -> str:
    """The first line of a docstring."""
    return str(described.__doc__ or "").strip().split("\n")[0]
