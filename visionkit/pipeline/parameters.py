"""Checks a stage's parameters with its pydantic model and says what is wrong where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from visionkit.errors import Position, did_you_mean
from visionkit.expr import ExprError
from visionkit.pipeline.document import QUOTES, Listing, Mapping, Node, Scalar
from visionkit.pipeline.problems import expression_place
from visionkit.pipeline.variables import Variables

M = TypeVar("M", bound=BaseModel)


def validate(model: type[M], node: Mapping, where: str, variables: Variables) -> M | None:
    """The parameters, or None after the problems were noted."""
    return validated(model, node, where, variables)[0]


def validated(model: type[M], node: Mapping, where: str, variables: Variables) -> tuple[M | None, M | None]:
    """The parameters, or None after the problems were noted; and what is right among them, to be looked at further."""
    problems = variables.problems
    before = len(problems.found)
    values = {key.text: variables.plain(value, f"{where}.{key.text}") for key, value in node}
    if len(problems.found) > before:
        return None, None
    try:
        params = model.model_validate(values)
        return params, params
    except ValidationError as error:
        errors = error.errors(include_url=False)
    for problem in _united([_problem(model, node, where, item) for item in errors]):
        problems.add(*problem)
    wrong = {item["loc"][0] for item in errors if item["loc"]}
    try:
        return None, model.model_validate({name: value for name, value in values.items() if name not in wrong})
    except ValidationError:
        return None, None


Found = tuple[str, str, str, Node | Position, str]
"""Code, where, message, place, help."""


def _problem(model: type[BaseModel], node: Mapping, where: str, error: Any) -> Found:
    location = [str(part) for part in error["loc"]]
    name = location[0] if location else ""
    path = f"{where}.{name}" if name else where
    if error["type"] == "extra_forbidden" and len(location) == 1:
        known = list(model.model_fields)
        help_ = did_you_mean(name, known) or f"parameters of {where}: {', '.join(known) or 'none'}"
        key = node.key(name) or node
        return "VK111", path, f"{where} has no parameter {name!r}", key, stray(key, node.get(name)) or help_
    if error["type"] == "missing" and len(location) == 1:
        return "VK113", path, "this parameter must be given", node, model.model_fields[name].description or ""
    at = find(node, location)
    inner = (error.get("ctx") or {}).get("error")
    if isinstance(inner, ExprError):
        return inner.code, path, inner.message, *expression_place(inner, at)
    if _needs_quotes(error, at):
        got = "nothing (a # begins a comment)" if isinstance(at, Scalar) else "a mapping or list"
        return "VK108", path, f"must be a text, got {got}", at, f'{QUOTES}: {name}: "..."'
    message, _, help_ = _message(error).partition("; ")
    if error["type"] in _LISTS and isinstance(at, Scalar) and at.value is not None:
        help_ = f"write a list: {name}: [{at.text}]"
    return "VK112", path, message, at, help_


def _united(found: list[Found]) -> Iterator[Found]:
    """One problem for each place: where a value may be of several types, pydantic has a complaint for each."""
    groups: dict[tuple[str, Position], list[Found]] = {}
    for problem in found:
        at = problem[3]
        place = at if isinstance(at, Position) else at.position
        groups.setdefault((problem[1], place), []).append(problem)
    for same in groups.values():
        wants = [re.fullmatch("must be (.*), got (.*)", message) for _, _, message, _, _ in same]
        if len(same) > 1 and all(wants):
            choices = dict.fromkeys(want[1] for want in wants if want)
            if "a number" in choices:
                choices.pop("a whole number", None)
            choice = " or ".join(choices)
            code, path, _, at, help_ = same[0]
            yield code, path, f"must be {choice}, got {wants[0][2] if wants[0] else ''}", at, help_
        else:
            yield from same


def stray(key: Node, value: Node | None) -> str:
    """Help for a key that looks like the end of a text cut at a comma; empty for others."""
    empty = isinstance(value, Scalar) and value.value is None
    odd = isinstance(key, Scalar) and re.search(r"[^\w.-]", key.text)
    return f"if this belongs to the text before it, {QUOTES}: a comma in braces ends a text" if empty and odd else ""


def _needs_quotes(error: Any, at: Node) -> bool:
    wants_text = error["type"] == "string_type" or "must be a text" in str(error["msg"])
    return wants_text and (isinstance(at, (Mapping, Listing)) or (isinstance(at, Scalar) and at.value is None))


_LISTS = ("tuple_type", "list_type", "set_type", "frozen_set_type")
_WANTED = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float", "int_parsing_size"), "must be a whole number"),
    **dict.fromkeys(("float_parsing", "float_type"), "must be a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "must be true or false"),
    **dict.fromkeys(_LISTS, "must be a list"),
    **dict.fromkeys(("dict_type", "model_type"), "must be a mapping"),
    "finite_number": "must be a finite number",
    "string_type": "must be a text",
}


def _message(error: Any) -> str:
    """What pydantic found, in our words."""
    text = _WANTED.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
    text = re.sub(r"^Input should be ", "must be ", text)
    text = re.sub(r"^(?:List|Tuple|Dictionary|String|Set) should have ", "must have ", text)
    if ", got " in text or error["type"] in ("value_error", "missing"):
        return text
    got = repr(error["input"])
    return f"{text}, got {got if len(got) < 80 else got[:77] + '...'}"


def find(node: Node, location: list[str]) -> Node:
    """The deepest node that the location reaches; parts that name no key or index are skipped.

    Where pydantic speaks of a key itself (``[key]``), it is the key.
    """
    for part, following in zip(location, [*location[1:], ""], strict=False):
        if isinstance(node, Mapping):
            found = node.key(part) if following == "[key]" else node.get(part)
            node = found or node
        elif isinstance(node, Listing) and part.isdigit() and int(part) < len(node.items):
            node = node.items[int(part)]
    return node
