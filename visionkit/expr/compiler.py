"""Tree to closures, once, when the file is loaded: evaluating is then a few plain calls per operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from visionkit.expr import values as v
from visionkit.expr.errors import COLUMN, NAME, fail, quote
from visionkit.expr.functions import FUNCTIONS
from visionkit.expr.nodes import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    IsNull,
    Literal,
    Logic,
    Member,
    Name,
    Negate,
    Node,
    Not,
)

Env = Mapping[str, Any]
"""Names to values: a scalar, a column (N,), None for absent, or an object with ``field(name)`` that gives such."""
Run = Callable[[Env], v.Value]


def compiled(node: Node) -> Run:
    """A function from an environment to the value of ``node``."""
    match node:
        case Literal(value=value):
            return lambda env: value
        case Name():
            return lookup(node)
        case Negate(offset=offset):
            operand = compiled(node.operand)
            return lambda env: v.finite(lambda x: -x, [operand(env)], offset)
        case Arithmetic():
            return _binary(node)
        case Compare():
            return _compare(node)
        case Member():
            return _member(node)
        case IsNull(negated=negated):
            operand = compiled(node.operand)
            return lambda env: _inverted(v.is_null(operand(env)), negated)
        case Logic():
            return _logic(node)
        case Not(offset=offset):
            operand = compiled(node.operand)
            return lambda env: _inverted(v.flags(operand(env), offset), True)
        case Choice():
            return _choice(node)
        case Call():
            return _call(node)


def lookup(name: Name) -> Run:
    """Follows a dotted name through records; absent anywhere on the way is null.

    The function raises ExprError where the environment lacks the name or the column.
    """

    def run(env: Env) -> v.Value:
        if name.path[0] not in env:
            fail(NAME, name.offset, f"there is no value named {quote(name.path[0])}", f"values: {', '.join(sorted(env))}")
        value = env[name.path[0]]
        for part, offset in zip(name.path[1:], name.offsets[1:], strict=True):
            if value is None:
                return None
            value = _field(value, part, offset)
        return v.normal(value, name.offset)

    return run


def _field(record: Any, part: str, offset: int) -> Any:
    field = getattr(record, "field", None)
    if field is None:
        fail(COLUMN, offset, f"a {type(record).__name__} has no columns, so no {quote(part)}", "write the name alone")
    try:
        return field(part)
    except (KeyError, AttributeError):
        fail(COLUMN, offset, f"there is no column {quote(part)}", "check the stage that should have made it")


def _inverted(value: Any, invert: bool) -> Any:
    if not invert:
        return value
    return ~value if v.is_column(value) else not value


def _binary(node: Arithmetic) -> Run:
    left, right = compiled(node.left), compiled(node.right)
    operator, offset = node.operator, node.offset
    return lambda env: v.arithmetic(operator, left(env), right(env), offset)


def _compare(node: Compare) -> Run:
    operands = [compiled(operand) for operand in node.operands]
    links = list(zip(node.operators, node.offsets, strict=True))

    def run(env: Env) -> v.Value:
        values = [operand(env) for operand in operands]
        results = [v.compare(op, values[i], values[i + 1], at) for i, (op, at) in enumerate(links)]
        return reduce(_and, results) if len(results) > 1 else results[0]

    def _and(a: Any, b: Any) -> Any:
        v.length([a, b], node.offset)
        return a & b

    return run


def _member(node: Member) -> Run:
    operand, negated = compiled(node.operand), node.negated
    items = frozenset((v.kind_of(item.value), item.value) for item in node.items)
    return lambda env: v.member(operand(env), items, negated)


def _logic(node: Logic) -> Run:
    operands = [(compiled(operand), operand.offset) for operand in node.operands]
    both = node.operator == "and"

    def run(env: Env) -> v.Value:
        # No short cut: a scalar must not hide that the other side is a column.
        values = [v.flags(operand(env), offset) for operand, offset in operands]
        v.length(values, node.offset)
        return reduce((lambda a, b: a & b) if both else (lambda a, b: a | b), values)

    return run


def _choice(node: Choice) -> Run:
    condition, then, otherwise = (compiled(part) for part in (node.condition, node.then, node.otherwise))
    offset = node.offset
    return lambda env: v.choose(condition(env), then(env), otherwise(env), offset)


def _call(node: Call) -> Run:
    function, offset = FUNCTIONS[node.function].run, node.offset
    arguments = [compiled(argument) for argument in node.arguments]
    return lambda env: function([argument(env) for argument in arguments], offset)
