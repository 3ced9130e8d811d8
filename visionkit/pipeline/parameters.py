"""Checks a stage's parameters with its pydantic model and says what is wrong where."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from visionkit.errors import did_you_mean
from visionkit.expr import ExprError
from visionkit.pipeline.document import QUOTES, Listing, Mapping, Node, Scalar
from visionkit.pipeline.variables import Variables

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], node: Mapping, where: str, variables: Variables) -> M | None:
    """The parameters, or None after the problems were noted."""
    problems = variables.problems
    before = len(problems.found)
    values = {key.text: variables.plain(value, f"{where}.{key.text}") for key, value in node}
    if len(problems.found) > before:
        return None
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for item in error.errors(include_url=False):
            _note(model, node, where, item, variables)
    return None


def _note(model: type[BaseModel], node: Mapping, where: str, error: Any, variables: Variables) -> None:
    problems, location = variables.problems, [str(part) for part in error["loc"]]
    name = location[0] if location else ""
    path = f"{where}.{name}" if name else where
    if error["type"] == "extra_forbidden" and len(location) == 1:
        known = list(model.model_fields)
        help_ = did_you_mean(name, known) or f"parameters of {where}: {', '.join(known) or 'none'}"
        problems.add("VK111", path, f"{where} has no parameter {name!r}", node.key(name) or node, help_)
        return
    if error["type"] == "missing" and len(location) == 1:
        field = model.model_fields[name]
        problems.add("VK113", path, "this parameter must be given", node, field.description or "")
        return
    at = find(node, location)
    inner = (error.get("ctx") or {}).get("error")
    if isinstance(inner, ExprError):
        problems.add_expression(path, inner, at)
    elif _needs_quotes(error, at):
        got = "nothing (a # begins a comment)" if isinstance(at, Scalar) else "a mapping or list"
        problems.add("VK108", path, f"must be a text, got {got}", at, f'{QUOTES}: {name}: "..."')
    else:
        message, _, help_ = _message(error).partition("; ")
        problems.add("VK112", path, message, at, help_)


def _needs_quotes(error: Any, at: Node) -> bool:
    wants_text = error["type"] == "string_type" or "must be a text" in str(error["msg"])
    return wants_text and (isinstance(at, (Mapping, Listing)) or (isinstance(at, Scalar) and at.value is None))


def _message(error: Any) -> str:
    text = str(error["msg"]).removeprefix("Value error, ")
    for old, new in (
        ("Input should be ", "must be "),
        ("List should have", "must have"),
        ("Tuple should have", "must have"),
    ):
        text = text.replace(old, new)
    if ", got " in text or error["type"] in ("value_error", "missing"):
        return text
    got = repr(error["input"])
    text = text.replace(", unable to parse string as an integer", "").replace(
        ", unable to parse string as a number", ""
    )
    return f"{text}, got {got if len(got) < 80 else got[:77] + '...'}"


def find(node: Node, location: list[str]) -> Node:
    """The deepest node that the location reaches; parts that name no key or index are skipped.

    Where pydantic speaks of a key itself (``[key]``), it is the key.
    """
    for part, following in zip(location, [*location[1:], ""], strict=True):
        if isinstance(node, Mapping):
            found = node.key(part) if following == "[key]" else node.get(part)
            node = found or node
        elif isinstance(node, Listing) and part.isdigit() and int(part) < len(node.items):
            node = node.items[int(part)]
    return node
