"""Random expressions against a naive evaluator: Python's own parser, one row at a time, plain Python values."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, note, reject, settings
from hypothesis import strategies as st

from tests.expr.reference import Reference
from visionkit.expr import ExprError, Expression, Kind, Record, Scope, Type

SCOPE: Scope = {
    "r": Record(
        {
            "a": Type(Kind.NUMBER, True),
            "b": Type(Kind.NUMBER, True),
            "t": Type(Kind.TEXT, True),
            "u": Type(Kind.TEXT, True),
            "f": Type(Kind.BOOL, True),
            "x": Type(Kind.ANY, True),
        }
    ),
    "n": Type(Kind.NUMBER),
    "m": Type(Kind.NUMBER),
    "s": Type(Kind.TEXT),
    "g": Type(Kind.BOOL),
}

# Multiples of 1/4, so that sums and products are exact and a comparison cannot hang on rounding.
numbers = st.integers(-16, 16).map(lambda n: n / 4)
words = st.sampled_from(["", "a", "b", "ab", "Ab", "é"])
maybe_numbers = st.one_of(st.none(), numbers)
maybe_words = st.one_of(st.none(), words)


def number_texts(depth: int) -> st.SearchStrategy[str]:
    leaves = st.one_of(
        numbers.filter(lambda n: n >= 0).map(str), st.sampled_from(["n", "m", "r.a", "r.b", "len(r.t)", "len(s)"])
    )
    if depth == 0:
        return leaves
    sub, condition = number_texts(depth - 1), bool_texts(depth - 1)
    return st.one_of(
        leaves,
        st.tuples(sub, st.sampled_from(["+", "-", "*", "/", "//", "%"]), sub).map(" ".join),
        st.tuples(leaves, st.just("**"), st.sampled_from(["0", "1", "2", "-1", "-n"])).map(" ".join),
        sub.map("-{}".format),
        sub.map("({})".format),
        st.tuples(st.sampled_from(["min", "max"]), sub, sub).map("{0[0]}({0[1]}, {0[2]})".format),
        st.tuples(st.sampled_from(["abs", "round", "sqrt"]), sub).map("{0[0]}({0[1]})".format),
        st.tuples(st.sampled_from(["sum", "mean", "highest", "lowest", "count"]), sub).map("{0[0]}({0[1]})".format),
        condition.map("count({})".format),
        st.tuples(sub, condition, sub).map("{0[0]} if {0[1]} else {0[2]}".format),
    )


def text_texts(depth: int) -> st.SearchStrategy[str]:
    leaves = st.one_of(words.map(repr), st.sampled_from(["s", "r.t", "r.u"]))
    if depth == 0:
        return leaves
    sub = text_texts(depth - 1)
    return st.one_of(
        leaves,
        st.tuples(st.sampled_from(["lower", "upper"]), sub).map("{0[0]}({0[1]})".format),
        st.tuples(sub, bool_texts(depth - 1), sub).map("({0[0]} if {0[1]} else {0[2]})".format),
    )


def bool_texts(depth: int) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["g", "r.f", "true", "False", "r.a > n", "r.t == s", "r.x == 1", "r.x != 'a'"])
    if depth == 0:
        return leaves
    number, text, sub = number_texts(depth - 1), text_texts(depth - 1), bool_texts(depth - 1)
    compare = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
    return st.one_of(
        leaves,
        st.tuples(number, compare, number).map(" ".join),
        st.tuples(number, compare, number, compare, number).map(" ".join),
        st.tuples(text, compare, text).map(" ".join),
        st.tuples(sub, st.sampled_from(["and", "or", "==", "!="]), sub).map(" ".join),
        sub.map("not {}".format),
        sub.map("({})".format),
        st.tuples(number, st.sampled_from(["is null", "is not None"])).map(" ".join),
        st.tuples(text, st.sampled_from(["in ['a', 'ab']", "not in ['b']"])).map(" ".join),
        st.tuples(number, st.sampled_from(["in [1, -0.5]", "not in [2, 0]"])).map(" ".join),
        st.tuples(st.sampled_from(["startswith", "endswith", "contains"]), text, text).map(
            "{0[0]}({0[1]}, {0[2]})".format
        ),
        st.tuples(st.sampled_from(["any", "all"]), sub).map("{0[0]}({0[1]})".format),
    )


@st.composite
def environments(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """The number of rows, and plain values: a list is a column."""
    count = draw(st.integers(0, 4))
    column = {"min_size": count, "max_size": count}
    record = None
    if draw(st.integers(0, 9)):
        record = {
            "a": draw(st.lists(maybe_numbers, **column)),
            "b": draw(st.lists(numbers, **column)),
            "t": draw(st.lists(maybe_words, **column)),
            "u": draw(st.lists(words, **column)),
            "f": draw(st.lists(st.booleans(), **column)),
            "x": draw(st.lists(st.one_of(st.none(), numbers, words, st.booleans()), **column)),
        }
    scalars = {"n": draw(maybe_numbers), "m": draw(numbers), "s": draw(maybe_words)}
    return count, {"r": record, **scalars, "g": draw(st.sampled_from([True, False, None]))}


class Columns:
    """A record with NumPy columns, as stages give them."""

    def __init__(self, lists: Mapping[str, list[Any]]) -> None:
        self._lists = lists

    def field(self, name: str) -> Any:
        items = self._lists[name]
        if name == "a":
            return np.array([math.nan if item is None else item for item in items], dtype=np.float32)
        if name in ("b", "f"):
            return np.array(items, dtype=np.float64 if name == "b" else bool)
        if name == "u":
            return np.array(items, dtype="U4")
        return np.array([*items, None], dtype=object)[:-1]


def plain(column: Any) -> list[Any]:
    return [None if item != item else item for item in column.tolist()]


def parsed(text: str) -> Expression:
    """The generator writes no parentheses of its own, so some texts need them: those are no examples."""
    with suppress(ExprError):
        return Expression.parse(text)
    with pytest.raises(ExprError, match=r"cannot follow another comparison|not binds less"):
        Expression.parse(text)
    reject()


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.one_of(bool_texts(3), number_texts(3), text_texts(2)), environments())
def test_equals_the_reference(text: str, drawn: tuple[int, dict[str, Any]]) -> None:
    count, values = drawn
    expression = parsed(text)
    assume(not expression.check_all(SCOPE))
    env = dict(values, r=None if values["r"] is None else Columns(values["r"]))
    tree = ast.parse(text, mode="eval").body
    reference = Reference(values, count)
    expected = [reference.at(tree, row) for row in range(count)]
    note(f"{text}\n{values}")
    result = expression.evaluate_rows(env, count)
    assert result.shape == (count,)
    # Null as the value of a condition counts as false; a bool column has no null to keep.
    if expression.check(SCOPE).kind is Kind.BOOL:
        assert plain(expression.mask(env, count)) == [bool(value) for value in expected]
    else:
        assert plain(result) == expected


@settings(max_examples=200, deadline=None)
@given(bool_texts(3))
def test_precedence_is_pythons(text: str) -> None:
    """With every parenthesis that Python sees written out, the text means the same tree."""
    expression = parsed(text)
    explicit = parenthesised(ast.parse(text, mode="eval").body)
    assume(explicit.count("(") < 60)
    assert shape(expression.tree) == shape(Expression.parse(explicit).tree)


def parenthesised(node: ast.AST) -> str:
    match node:
        case ast.BinOp():
            symbol = ast.unparse(ast.BinOp(ast.Name("a"), node.op, ast.Name("a"))).strip("a")
            return f"({parenthesised(node.left)}{symbol}{parenthesised(node.right)})"
        case ast.BoolOp():
            word = " and " if isinstance(node.op, ast.And) else " or "
            return f"({word.join(map(parenthesised, node.values))})"
        case ast.UnaryOp():
            return f"({'not ' if isinstance(node.op, ast.Not) else '-'}{parenthesised(node.operand)})"
        case ast.IfExp():
            return f"({parenthesised(node.body)} if {parenthesised(node.test)} else {parenthesised(node.orelse)})"
        case ast.Compare():
            symbols = [ast.unparse(ast.Compare(ast.Name("a"), [op], [ast.Name("a")])).strip("a") for op in node.ops]
            parts = [symbol + parenthesised(part) for symbol, part in zip(symbols, node.comparators, strict=True)]
            return f"({parenthesised(node.left)}{''.join(parts)})"
        case ast.Call():
            return f"{ast.unparse(node.func)}({', '.join(map(parenthesised, node.args))})"
    return ast.unparse(node)


def shape(node: Any) -> Any:
    """A tree without its offsets."""
    if isinstance(node, tuple):
        return tuple(shape(item) for item in node)
    if not hasattr(node, "__dataclass_fields__"):
        return node
    fields = {name: shape(getattr(node, name)) for name in node.__dataclass_fields__ if "offset" not in name}
    return type(node).__name__, tuple(fields.items())
