"""YAML text → a small tree in which every key and value knows its line and column.

Built on ruamel.yaml's composer: nothing is constructed, so nothing in the file can run. Size, depth and the number
of nodes, before and after aliases, are bounded while reading; duplicate keys are refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from typing import Any

from visionkit.errors import PipelineError, Position, Problem
from visionkit.frozen import Frozen

MAX_BYTES = 100_000
MAX_DEPTH = 40
MAX_NODES = 5_000
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels"
TOO_MANY = f"more than {MAX_NODES:,} values (aliases count each time)"

QUOTES = "put quotes around it"
INDENT = "check the indentation: items of a list start with '- ' and line up"


class Scalar(Frozen):
    """A text, number, bool or null.

    Attributes:
        quoted: it stood in quotes or was a block text.
        verbatim: ``text`` stands in the file as it is, on one line: character ``i`` of it has its own column there.
    """

    value: Any
    text: str
    position: Position
    quoted: bool = False
    verbatim: bool = False

    def position_of(self, offset: int) -> Position:
        """The place of a character of the text; of the whole text where no character can be told from another."""
        if not self.verbatim:
            return self.position
        at = self.position
        return Position(at.file, at.line, at.column + min(offset, len(self.text)) + (1 if self.quoted else 0))


class Listing(Frozen):
    items: tuple[Node, ...]
    position: Position


class Mapping(Frozen):
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
        PipelineError: one syntax error, all duplicate keys, or a text beyond the bounds.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _error("VK102", "file", f"larger than {MAX_BYTES:,} bytes", Position(file, 1, 1))
    places = Places(text, file)
    root = compose(places)
    if root is None:
        return Scalar(None, "", Position(file, 1, 1))
    builder = _Builder(places)
    tree = builder.build(root, 0)
    builder.problems.raise_if_any()
    return tree


class Places:
    """Positions in a text. A line ends where editors say: at a line feed, a carriage return, or both."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]

    def at(self, index: int) -> Position:
        """Line and column of the character ``index``."""
        index = max(0, min(index, len(self.text)))
        line = bisect_right(self._starts, index)
        return Position(self.file, line, index - self._starts[line - 1] + 1)


def compose(places: Places) -> Any:
    """ruamel.yaml's own nodes, which know where they end too."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError
    from ruamel.yaml.reader import ReaderError

    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner, yaml.Composer = _bounded()
    try:
        return yaml.compose(places.text)
    except Refused as error:
        where = "file" if error.code == "VK102" else "YAML syntax"
        raise _error(error.code, where, error.message, places.at(error.index)) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = places.at(mark.index if mark else 0)
        message = " ".join(part for part in (error.context, error.problem) if part)
        raise _error(
            "VK101", "YAML syntax", message or "not YAML", position, _syntax_help(places, position, message)
        ) from None
    except ReaderError as error:
        found = f"U+{ord(error.character):04X}" if isinstance(error.character, str) else f"U+{error.character:04X}"
        message = f"the character {found} cannot stand in a file"
        raise _error("VK101", "YAML syntax", message, places.at(error.position), "take it out") from None
    except (YAMLError, ValueError) as error:
        first = (str(error).splitlines() or ["not YAML"])[0][:200]
        raise _error("VK101", "YAML syntax", first, Position(places.file, 1, 1)) from None


class Refused(Exception):
    """What YAML would take and the language does not: a bound, a directive; at the character ``index``."""

    def __init__(self, code: str, message: str, index: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.index = index


@cache
def _bounded() -> tuple[Any, Any]:
    """ruamel.yaml's scanner and composer, which stop at the bounds instead of reading on."""
    from ruamel.yaml.composer import Composer
    from ruamel.yaml.scanner import Scanner

    class BoundedScanner(Scanner):
        def fetch_flow_collection_start(self, *args: Any, **options: Any) -> None:
            super().fetch_flow_collection_start(*args, **options)
            if self.flow_level > MAX_DEPTH + 1:  # it looks far ahead, in time that grows with the square of the depth
                raise Refused("VK102", TOO_DEEP, self.reader.index)

        def fetch_directive(self) -> None:
            message = "directives such as %YAML are not part of the language"
            raise Refused("VK101", message, self.reader.index)

    class BoundedComposer(Composer):
        warn_double_anchors = property(lambda self: False, lambda self, value: None)
        count = level = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            self.count += 1
            self.level += 1
            if self.count > MAX_NODES or self.level > MAX_DEPTH + 1:
                message = TOO_DEEP if self.level > MAX_DEPTH + 1 else TOO_MANY
                raise Refused("VK102", message, self.parser.peek_event().start_mark.index)
            node = super().compose_node(parent, index)
            self.level -= 1
            return node

    return BoundedScanner, BoundedComposer


def _syntax_help(places: Places, position: Position, message: str) -> str:
    """What does not stand at the beginning of a line is mostly a label or an expression without quotes."""
    lines = re.split(r"\r\n|\r|\n", places.text)
    here = lines[position.line - 1] if position.line <= len(lines) else ""
    if "'\\t'" in message:
        return "indent with spaces: YAML takes no tabs"
    if "<block end>" in message and not here[: position.column - 1].strip():
        return INDENT
    if message.startswith("mapping values") and (item := re.match(r"\s*- ([\w.]+): +(\w+:.*)", here)):
        return f"parameters on the line of their stage stand in braces: {item[1]}: {{{item[2]}}}"
    for number in (position.line, position.line - 1):
        line = lines[number - 1] if 0 < number <= len(lines) else ""
        value = line.partition(": ")[2].strip() or line.strip()
        if value and value[0] not in "\"'" and any(c in value for c in "{}[],#&*!|>%@`:"):
            return f"if {value[:60]} is a text or an expression, {QUOTES}"
    return INDENT


class _Builder:
    def __init__(self, places: Places) -> None:
        from visionkit.pipeline.problems import Problems

        self._places = places
        self._count = 0
        self.problems = Problems()

    def build(self, node: Any, depth: int) -> Node:
        position = self._places.at(node.start_mark.index)
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            raise _error("VK102", "file", TOO_DEEP if depth > MAX_DEPTH else TOO_MANY, position)
        kind = type(node).__name__
        tag = str(getattr(node, "ctag", None) or node.tag)
        if not tag.startswith("tag:yaml.org,2002:") and tag not in ("None", "!"):
            message = f"tags such as {tag[:40]} are not part of the language"
            raise _error("VK101", "YAML syntax", message, position, QUOTES)
        if kind == "ScalarNode":
            return self._scalar(node, position)
        if kind == "SequenceNode":
            return Listing(tuple(self.build(item, depth + 1) for item in node.value), position)
        return self._mapping(node, position, depth)

    def _mapping(self, node: Any, position: Position, depth: int) -> Mapping:
        items: list[tuple[Scalar, Node]] = []
        seen: dict[str, Position] = {}
        for key_node, value_node in node.value:
            key = self.build(key_node, depth + 1)
            if not isinstance(key, Scalar):
                help_ = f"if this is a text, {QUOTES}"
                raise _error("VK101", "YAML syntax", "a key must be a text", key.position, help_)
            if key.text in seen:
                message = f"this key stands here twice, first on line {seen[key.text].line}"
                self.problems.add("VK103", key.text, message, key)
                continue
            seen[key.text] = key.position
            value = self.build(value_node, depth + 1)
            if isinstance(value, Scalar) and not value.text and not value.quoted:  # nothing there: point behind the key
                value = Scalar(None, "", self._places.at(key_node.end_mark.index + 1))
            items.append((Scalar(key.text, key.text, key.position, key.quoted, key.verbatim), value))
        return Mapping(tuple(items), position, flow=bool(node.flow_style))

    def _scalar(self, node: Any, position: Position) -> Scalar:
        text = str(node.value)
        quoted = node.style in ("'", '"', "|", ">")
        raw = self._places.text[node.start_mark.index : node.end_mark.index]
        verbatim = raw[1:-1] == text if node.style in ("'", '"') else raw == text
        tag = str(node.ctag if hasattr(node, "ctag") else node.tag).rpartition(":")[2]
        value: Any = text
        if not quoted and tag in _CONVERT:
            try:
                value = _CONVERT[tag](text)
            except ValueError:  # a number that only YAML's grammar takes for one
                value = text
        return Scalar(value, text, position, quoted, verbatim)


def _int(text: str) -> int:
    if len(text) > 40:
        raise ValueError(text)
    decimal = text.lstrip("+-").startswith("0") and "x" not in text and "o" not in text  # 010 is ten
    return int(text) if decimal else int(text.replace("_", ""), 0)


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
