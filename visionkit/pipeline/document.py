"""YAML text → a small tree in which every key and value knows its line and column.

Built on ruamel.yaml's composer: nothing is constructed, so nothing in the file can run. Size, depth and the number
of nodes after aliases are bounded; duplicate keys are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from visionkit.errors import PipelineError, Position, Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_NODES = 20_000

QUOTES = "put quotes around it"


@dataclass(frozen=True)
class Scalar:
    """A text, number, bool or null; ``quoted`` if it stood in quotes or was a block text."""

    value: Any
    text: str
    position: Position
    quoted: bool = False


@dataclass(frozen=True)
class Listing:
    items: tuple[Node, ...]
    position: Position


@dataclass(frozen=True)
class Mapping:
    """Keys in file order; ``flow`` if it was written in braces."""

    items: tuple[tuple[Scalar, Node], ...]
    position: Position
    flow: bool = False

    def get(self, key: str) -> Node | None:
        return next((value for k, value in self.items if k.value == key), None)

    def key(self, key: str) -> Scalar | None:
        return next((k for k, _ in self.items if k.value == key), None)

    def __iter__(self) -> Iterator[tuple[Scalar, Node]]:
        return iter(self.items)


Node = Scalar | Listing | Mapping


def parse(text: str, file: str) -> Node:
    """The tree of a YAML text; an empty text is a null scalar.

    Raises:
        PipelineError: one syntax error, a duplicate key, or a text beyond the bounds.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _error("VK102", "file", f"larger than {MAX_BYTES:,} bytes", Position(file, 1, 1))
    root = _compose(text, file)
    if root is None:
        return Scalar(None, "", Position(file, 1, 1))
    return _Builder(file).build(root, 0)


def _compose(text: str, file: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = Position(file, mark.line + 1, mark.column + 1) if mark else Position(file, 1, 1)
        message = " ".join(part for part in (error.context, error.problem) if part)
        raise _error("VK101", "YAML syntax", message or "not YAML", position, _syntax_help(text, position)) from None
    except (YAMLError, ValueError, RecursionError, AttributeError, TypeError, NotImplementedError) as error:
        first = (str(error).splitlines() or ["not YAML"])[0][:200]
        if isinstance(error, RecursionError):
            raise _error("VK102", "file", f"nested deeper than {MAX_DEPTH} levels", Position(file, 1, 1)) from None
        raise _error("VK101", "YAML syntax", first, Position(file, 1, 1)) from None


def _syntax_help(text: str, position: Position) -> str:
    """Most syntax errors in pipeline files are labels and expressions without quotes."""
    lines = text.splitlines()
    for number in (position.line, position.line - 1):
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        value = line.partition(": ")[2].strip() or line.strip()
        if value and value[0] not in "\"'" and any(c in value for c in "{}[],#&*!|>%@`:"):
            return f"if {value[:60]} is a text or an expression, {QUOTES}"
    return "check the indentation: items of a list start with '- ' and line up"


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self._count = 0

    def build(self, node: Any, depth: int) -> Node:
        position = Position(self._file, node.start_mark.line + 1, node.start_mark.column + 1)
        self._count += 1
        if depth > MAX_DEPTH:
            raise _error("VK102", "file", f"nested deeper than {MAX_DEPTH} levels", position)
        if self._count > MAX_NODES:
            raise _error("VK102", "file", f"more than {MAX_NODES:,} values (aliases count each time)", position)
        kind = type(node).__name__
        tag = str(getattr(node, "ctag", None) or node.tag)
        if not tag.startswith("tag:yaml.org,2002:") and tag not in ("None", "!"):
            raise _error(
                "VK101", "YAML syntax", f"tags such as {tag[:40]} are not part of the language", position, QUOTES
            )
        if kind == "ScalarNode":
            return _scalar(node, position)
        if kind == "SequenceNode":
            return Listing(tuple(self.build(item, depth + 1) for item in node.value), position)
        return self._mapping(node, position, depth)

    def _mapping(self, node: Any, position: Position, depth: int) -> Mapping:
        items: list[tuple[Scalar, Node]] = []
        seen: dict[str, Position] = {}
        for key_node, value_node in node.value:
            key = self.build(key_node, depth + 1)
            if not isinstance(key, Scalar):
                raise _error(
                    "VK101", "YAML syntax", "a key must be a text", key.position, f"if this is a text, {QUOTES}"
                )
            if key.text in seen:
                raise _error(
                    "VK103", key.text, f"this key stands here twice, first on line {seen[key.text].line}", key.position
                )
            seen[key.text] = key.position
            value = self.build(value_node, depth + 1)
            if isinstance(value, Scalar) and not value.text and not value.quoted:  # nothing there: point behind the key
                behind = Position(self._file, key.position.line, key.position.column + len(key.text) + 1)
                value = Scalar(None, "", behind)
            items.append((Scalar(key.text, key.text, key.position, key.quoted), value))
        return Mapping(tuple(items), position, flow=bool(node.flow_style))


def _scalar(node: Any, position: Position) -> Scalar:
    text = str(node.value)
    quoted = node.style in ("'", '"', "|", ">")
    tag = str(node.ctag if hasattr(node, "ctag") else node.tag).rpartition(":")[2]
    value: Any = text
    if not quoted and tag in ("int", "float", "bool", "null"):
        try:
            value = _CONVERT[tag](text)
        except ValueError:  # a number that only YAML's grammar takes for one
            value = text
    return Scalar(value, text, position, quoted)


def _int(text: str) -> int:
    if len(text) > 40:
        raise ValueError(text)
    return (
        int(text.replace("_", ""), 0)
        if not text.lstrip("+-").startswith("0") or "x" in text or "o" in text
        else int(text)
    )


def _float(text: str) -> float:
    plain = text.lower().lstrip("+-")
    if plain in (".inf", ".nan"):
        return float(text.lower().replace(".", ""))
    return float(text)


_CONVERT: dict[str, Any] = {
    "int": _int,
    "float": _float,
    "bool": lambda text: text.lower() == "true",
    "null": lambda text: None,
}


def _error(code: str, where: str, message: str, position: Position, help: str = "") -> PipelineError:
    return PipelineError([Problem(code, where, message, help, position)])
