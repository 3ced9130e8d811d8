"""Writes one value into the text of a pipeline file and leaves every other character of it as it was.

ruamel.yaml says where things stand; comments, quotes, blank lines and line ends are never touched.
"""

from __future__ import annotations

import json
import re
from typing import Any

from visionkit.errors import Position, UsageError
from visionkit.pipeline import document

VARIABLE = re.compile(r"\$([A-Za-z_]\w*)")
_PLAIN = re.compile(r"[A-Za-z][\w./-]*")


def variable_of(text: str, item: Position, name: str) -> str:
    """The variable that the parameter ``name`` of the item at a position is taken from, "" if it has its own value.

    Raises:
        UsageError: no item of a list stands there.
    """
    return _variable(_get(_params(_Finder(text).item(item)), name))


def with_parameter(text: str, item: Position, name: str, value: Any) -> str:
    """The text with the parameter ``name`` of the item at a position set to a plain value.

    A value that is a variable is set where the variable is declared.

    Raises:
        UsageError: no item stands there, or it is written in a way that cannot be changed from outside.
    """
    finder = _Finder(text)
    node = finder.item(item)
    there = _get(_params(node), name)
    if there is None:
        return _added(text, node, name, value)
    variable = _variable(there)
    return with_variable(text, variable, value) if variable else _replaced(text, there, value)


def with_variable(text: str, name: str, value: Any) -> str:
    """The text with a variable under ``vars:`` set to a plain value.

    Raises:
        UsageError: the file does not declare it: it comes from the command line or the environment.
    """
    there = _get(_get(_Finder(text).root, "vars"), name)
    if there is None:
        raise UsageError(f"${name} is not among the file's vars", help="it was set on the command line")
    return _replaced(text, there, value)


def yaml_value(value: Any) -> str:
    """A plain value on one line, so that YAML reads the same back.

    Raises:
        UsageError: it is none of null, true, false, a number, a text without control characters, a list of these.
    """
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(yaml_value(part) for part in value)}]"
    if isinstance(value, str) and not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", value):
        plain = _PLAIN.fullmatch(value) and getattr(document.parse(value, ""), "value", None) == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    raise UsageError(f"{str(value)[:40]!r} is no value that can be written into the file")


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        raise UsageError("must be a finite number")
    text = f"{value:.10g}"
    if "e" in text:
        mantissa, _, exponent = text.partition("e")
        return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{exponent}"  # 1e-05 is a text in YAML
    return text if "." in text else f"{text}.0"


class _Finder:
    """ruamel.yaml's nodes of a text, found again by their positions."""

    def __init__(self, text: str) -> None:
        self._places = document.Places(text, "")
        self.root = document.compose(self._places)

    def item(self, position: Position) -> Any:
        """The item that begins at a position: a scalar, or a mapping with one key."""
        stack = [_get(self.root, "stages")]
        while stack:
            node = stack.pop()
            kind = type(node).__name__
            if kind == "SequenceNode":
                for child in node.value:
                    if self._begins(child, position):
                        return child
                stack += node.value
            elif kind == "MappingNode":
                stack += [value for _, value in node.value]
        raise UsageError(f"no stage stands at line {position.line} any more", help="reload the page")

    def _begins(self, node: Any, position: Position) -> bool:
        first = node.value[0][0] if type(node).__name__ == "MappingNode" and node.value else node
        at = self._places.at(first.start_mark.index)
        return (at.line, at.column) == (position.line, position.column)


def _get(node: Any, key: str) -> Any:
    if type(node).__name__ != "MappingNode":
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _variable(node: Any) -> str:
    whole = VARIABLE.fullmatch(str(node.value)) if type(node).__name__ == "ScalarNode" else None
    return whole[1] if whole else ""


def _params(item: Any) -> Any:
    """The node with the parameters of an item: a mapping, or nothing."""
    return item.value[0][1] if type(item).__name__ == "MappingNode" else None


def _replaced(text: str, node: Any, value: Any) -> str:
    if getattr(node, "anchor", None) or type(node).__name__ == "MappingNode":
        raise UsageError("this value is shared or nested in the file", help="change it there")
    start, end = node.start_mark.index, node.end_mark.index
    if start == end:  # the key stands alone
        return f"{text[:start].rstrip(' ')} {yaml_value(value)}{text[start:]}"
    if type(node).__name__ == "SequenceNode" and not node.flow_style:
        raise UsageError("this list stands on lines of its own", help="change it in the file")
    if getattr(node, "style", None) in ("|", ">"):
        raise UsageError("this text stands on lines of its own", help="change it in the file")
    return text[:start] + yaml_value(value) + text[end:]


def _added(text: str, item: Any, name: str, value: Any) -> str:
    new = f"{name}: {yaml_value(value)}"
    params = _params(item)
    if type(item).__name__ == "ScalarNode":  # - edges.canny
        end = item.end_mark.index
        return f"{text[:end]}: {{{new}}}{text[end:]}"
    if type(params).__name__ != "MappingNode":  # - edges.canny:
        end = item.value[0][0].end_mark.index
        colon = text.index(":", end) + 1
        return f"{text[:colon]} {{{new}}}{text[params.end_mark.index if params.value else colon :]}"
    if params.flow_style:  # - edges.canny: {low: 50}
        last = params.value[-1][1].end_mark.index if params.value else params.start_mark.index + 1
        return f"{text[:last]}{', ' if params.value else ''}{new}{text[last:]}"
    first = params.value[0][0].start_mark
    line = max(text.rfind("\n", 0, first.index), text.rfind("\r", 0, first.index)) + 1
    return f"{text[: first.index]}{new}{_line_end(text)}{' ' * (first.index - line)}{text[first.index :]}"


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
