"""``$name`` in pipeline files: from ``--set``, the environment or ``vars:``."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping as AbstractMapping
from typing import Any

from visionkit.errors import did_you_mean
from visionkit.frozen import Frozen
from visionkit.pipeline.document import Listing, Mapping, Node, Scalar, parse
from visionkit.pipeline.problems import Problems

ENVIRONMENT_PREFIX = "VISIONKIT_VAR_"
_NAME = r"\$(\$|[A-Za-z_]\w*)"


class Variables(Frozen):
    """Values by name; :meth:`plain` turns document nodes into Python values with variables filled in."""

    values: AbstractMapping[str, Any]
    problems: Problems

    @staticmethod
    def gather(
        node: Node | None, overrides: AbstractMapping[str, Any], problems: Problems, at: Node | None = None
    ) -> Variables:
        """``overrides`` over the environment over the file's ``vars:``; unknown overrides are problems.

        ``at`` is where a problem is shown when the file has no ``vars:``.
        """
        values: dict[str, Any] = {}
        if isinstance(node, Mapping):
            values = _declared(node, problems)
        elif node is not None:
            problems.add("VK105", "vars", "must be a mapping of names to values", node)
        for name in values:
            if (text := os.environ.get(ENVIRONMENT_PREFIX + name)) is not None:
                values[name] = parse_value(text)
        for name, value in overrides.items():
            if name not in values and (where := node or at) is not None:
                help_ = did_you_mean(name, values) or f"the file has: {', '.join(values) or 'none'}"
                problems.add("VK107", "vars", f"there is no variable {name!r} to set", where, help_)
            values[name] = value
        return Variables(values, problems)

    def plain(self, node: Node, where: str = "") -> Any:
        """The node as Python values: dicts, lists, scalars."""
        if isinstance(node, Scalar):
            return self._scalar(node, where)
        if isinstance(node, Listing):
            return [self.plain(item, where) for item in node.items]
        return {key.text: self.plain(value, where) for key, value in node}

    def text(self, node: Scalar, where: str = "") -> str:
        """The text of a scalar with variables filled in."""
        value = self._scalar(Scalar(node.text, node.text, node.position, node.quoted), where)
        return value if isinstance(value, str) else format_value(value)

    def _scalar(self, node: Scalar, where: str) -> Any:
        if not isinstance(node.value, str) or "$" not in node.value:
            return node.value
        whole = re.fullmatch(_NAME, node.value)
        if whole and whole[1] != "$":
            return self._lookup(whole[1], node, where)
        return re.sub(
            _NAME, lambda m: "$" if m[1] == "$" else format_value(self._lookup(m[1], node, where)), node.value
        )

    def _lookup(self, name: str, node: Scalar, where: str) -> Any:
        if name in self.values:
            return self.values[name]
        known = ", ".join(self.values) or "none"
        help_ = did_you_mean(name, self.values) or f"variables there are: {known}; write $$ for a dollar sign"
        self.problems.add("VK107", where or name, f"the variable ${name} is not defined", node, help_)
        return None


def parse_value(text: str) -> Any:
    """``--set n=10``: a value as YAML reads it; a text that is no YAML stays a text."""
    from visionkit.errors import PipelineError

    try:
        return _literal(parse(text, "--set"))
    except PipelineError:
        return text


def format_value(value: Any) -> str:
    """A variable inside a text."""
    if value is True or value is False:
        return "true" if value else "false"
    return "" if value is None else str(value)


def _declared(node: Mapping, problems: Problems) -> dict[str, Any]:
    values = {}
    for key, value in node:
        if re.fullmatch(r"[A-Za-z_]\w*", key.text):
            values[key.text] = _literal(value)
        else:
            message = f"a variable's name must be letters, digits and _, and start with a letter, got {key.text!r}"
            problems.add("VK109", "vars", message, key)
    return values


def _literal(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Listing):
        return [_literal(item) for item in node.items]
    return {key.text: _literal(value) for key, value in node}
