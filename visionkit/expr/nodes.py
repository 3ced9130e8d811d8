"""The tree of an expression. Whatever has no node here cannot be written.

``offset`` is the character of the text that an error about the node points at.
"""

from __future__ import annotations

from collections.abc import Iterator

from visionkit.frozen import Frozen

Constant = float | bool | str | None


class Literal(Frozen):
    offset: int
    value: Constant


class Name(Frozen):
    """``car.plate.score``: its parts, and the offset of each."""

    offset: int
    path: tuple[str, ...]
    offsets: tuple[int, ...]

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


class Negate(Frozen):
    offset: int
    operand: Node


class Arithmetic(Frozen):
    offset: int
    operator: str
    left: Node
    right: Node


class Compare(Frozen):
    """``a < b <= c``: n operators between n + 1 operands; ``offset`` is that of the first operator."""

    offset: int
    operators: tuple[str, ...]
    offsets: tuple[int, ...]
    operands: tuple[Node, ...]


class Member(Frozen):
    """``x in ["car", "truck"]``."""

    offset: int
    operand: Node
    items: tuple[Literal, ...]
    negated: bool


class IsNull(Frozen):
    offset: int
    operand: Node
    negated: bool


class Logic(Frozen):
    """``a and b and c``; ``operator`` is ``and`` or ``or``."""

    offset: int
    operator: str
    operands: tuple[Node, ...]


class Not(Frozen):
    offset: int
    operand: Node


class Choice(Frozen):
    """``then if condition else otherwise``."""

    offset: int
    condition: Node
    then: Node
    otherwise: Node


class Call(Frozen):
    offset: int
    function: str
    arguments: tuple[Node, ...]


Node = Literal | Name | Negate | Arithmetic | Compare | Member | IsNull | Logic | Not | Choice | Call


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly below ``node``."""
    match node:
        case Literal() | Name():
            return ()
        case Negate() | Not() | IsNull() | Member():
            return (node.operand,)
        case Arithmetic():
            return node.left, node.right
        case Compare() | Logic():
            return node.operands
        case Choice():
            return node.condition, node.then, node.otherwise
        case Call():
            return node.arguments


def walk(node: Node) -> Iterator[Node]:
    """``node`` and everything below it, in the order it is written."""
    yield node
    for child in children(node):
        yield from walk(child)
