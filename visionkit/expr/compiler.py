"""Tree to closures, once, when the file is loaded: evaluating is then a few plain calls per operator."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce, singledispatch
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


@singledispatch
def compiled(node: Node) -> Run:
    """A function from an environment to the value of ``node``."""
    raise TypeError(f"no node of the language: {node!r}")


@compiled.register(Literal)
def _(node: Literal) -> Run:
    return lambda env: node.value


@compiled.register
def lookup(node: Name) -> Run:
    """Follows a dotted name through records; absent anywhere on the way is null.

    The function raises ExprError where the environment lacks the name or a record the column.
    """
    first, columns = node.path[0], list(zip(node.path[1:], node.offsets[1:], strict=True))

    def run(env: Env) -> v.Value:
        if first not in env:
            fail(NAME, node.offset, f"there is no value named {quote(first)}", f"values: {', '.join(sorted(env))}")
        value = env[first]
        for column, offset in columns:
            if value is None:
                return None
            value = _field(value, column, offset)
        return v.normal(value, node.offset)

    return run


def _field(record: Any, column: str, offset: int) -> Any:
    field = getattr(record, "field", None)
    if field is None:
        message = f"a value of type {type(record).__name__} has no column {quote(column)}"
        fail(COLUMN, offset, message, "write the name alone")
    try:
        return field(column)
    except (KeyError, AttributeError):
        fail(COLUMN, offset, f"there is no column {quote(column)}", "check the stage that should have made it")


@compiled.register(Negate)
def _(node: Negate) -> Run:
    operand, offset = compiled(node.operand), node.offset
    return lambda env: v.finite(operator.neg, [operand(env)], offset)


@compiled.register(Arithmetic)
def _(node: Arithmetic) -> Run:
    left, right = compiled(node.left), compiled(node.right)
    function, offset = v.OPERATORS[node.operator], node.offset
    return lambda env: v.finite(function, [left(env), right(env)], offset)


@compiled.register(Compare)
def _(node: Compare) -> Run:
    operands = [compiled(operand) for operand in node.operands]
    links = list(enumerate(zip(node.operators, node.offsets, strict=True)))

    def run(env: Env) -> v.Value:
        values = [operand(env) for operand in operands]
        results = [v.compare(name, values[i], values[i + 1], offset) for i, (name, offset) in links]
        return _combined(operator.and_, results, node.offset)

    return run


@compiled.register(Logic)
def _(node: Logic) -> Run:
    operands = [(compiled(operand), operand.offset) for operand in node.operands]
    function = operator.and_ if node.operator == "and" else operator.or_

    def run(env: Env) -> v.Value:
        # No short cut: a scalar must not hide that the other side is a column.
        return _combined(function, [v.flags(operand(env), offset) for operand, offset in operands], node.offset)

    return run


def _combined(function: Callable[[Any, Any], Any], flags: list[Any], offset: int) -> Any:
    v.length(flags, offset)
    return reduce(function, flags)


@compiled.register(Member)
def _(node: Member) -> Run:
    operand, negated = compiled(node.operand), node.negated
    items = frozenset(v.distinct(item.value) for item in node.items)
    return lambda env: v.member(operand(env), items, negated)


@compiled.register(IsNull)
def _(node: IsNull) -> Run:
    operand, negated = compiled(node.operand), node.negated
    return lambda env: v.inverted(v.is_null(operand(env))) if negated else v.is_null(operand(env))


@compiled.register(Not)
def _(node: Not) -> Run:
    operand, offset = compiled(node.operand), node.operand.offset
    return lambda env: v.inverted(v.flags(operand(env), offset))


@compiled.register(Choice)
def _(node: Choice) -> Run:
    condition, then, otherwise = (compiled(part) for part in (node.condition, node.then, node.otherwise))
    offset = node.offset
    return lambda env: v.choose(condition(env), then(env), otherwise(env), offset)


@compiled.register(Call)
def _(node: Call) -> Run:
    function, offset = FUNCTIONS[node.function].run, node.offset
    arguments = [compiled(argument) for argument in node.arguments]
    return lambda env: function([argument(env) for argument in arguments], offset)
