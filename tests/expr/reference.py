"""A naive evaluator of the small language: Python's own parser, one row at a time, plain Python values."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Mapping
from typing import Any

import numpy as np

OPERATORS: dict[type, Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: math.pow,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
CONSTANTS = {"true": True, "false": False, "null": None}


class Reference:
    """Evaluates one row. ``rows`` is how many there are."""

    def __init__(self, env: Mapping[str, Any], rows: int) -> None:
        self._env = env
        self._rows = rows

    def at(self, node: ast.AST, row: int) -> Any:
        return getattr(self, type(node).__name__)(node, row)

    def Constant(self, node: ast.Constant, row: int) -> Any:
        return node.value

    def Name(self, node: ast.Name, row: int) -> Any:
        return CONSTANTS[node.id] if node.id in CONSTANTS else self._env[node.id]

    def Attribute(self, node: ast.Attribute, row: int) -> Any:
        record = self._env["r"]
        return None if record is None else record[node.attr][row]

    def UnaryOp(self, node: ast.UnaryOp, row: int) -> Any:
        value = self.at(node.operand, row)
        if isinstance(node.op, ast.Not):
            return not value
        return None if value is None else -value

    def BinOp(self, node: ast.BinOp, row: int) -> Any:
        return number(OPERATORS[type(node.op)], self.at(node.left, row), self.at(node.right, row))

    def BoolOp(self, node: ast.BoolOp, row: int) -> bool:
        values = [bool(self.at(part, row)) for part in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)

    def IfExp(self, node: ast.IfExp, row: int) -> Any:
        return self.at(node.body if self.at(node.test, row) else node.orelse, row)

    def Compare(self, node: ast.Compare, row: int) -> bool:
        left = self.at(node.left, row)
        result = True
        for op, part in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, (ast.Is, ast.IsNot)):
                return (left is None) == isinstance(op, ast.Is)
            if isinstance(op, (ast.In, ast.NotIn)):
                items = [self.at(item, row) for item in part.elts]  # type: ignore[attr-defined]
                return left is not None and (left in items) == isinstance(op, ast.In)
            right = self.at(part, row)
            result = result and compared(OPERATORS[type(op)], left, right)
            left = right
        return result

    def Call(self, node: ast.Call, row: int) -> Any:
        name = node.func.id  # type: ignore[attr-defined]
        if name in AGGREGATES:
            has_rows = self._env["r"] is not None and self.per_row(node.args[0])
            rows = range(self._rows) if has_rows else [0]
            return AGGREGATES[name]([self.at(node.args[0], i) for i in rows])
        values = [self.at(argument, row) for argument in node.args]
        if name in TESTS:
            return None not in values and TESTS[name](*values)
        if name in ("len", "lower", "upper"):
            return None if None in values else {"len": len, "lower": str.lower, "upper": str.upper}[name](*values)
        return number({"abs": abs, "round": round, "sqrt": math.sqrt, "min": min, "max": max}[name], *values)

    def per_row(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Call) and node.func.id in AGGREGATES:  # type: ignore[attr-defined]
            return False
        return isinstance(node, ast.Attribute) or any(map(self.per_row, ast.iter_child_nodes(node)))


def number(function: Any, *values: Any) -> float | None:
    if None in values:
        return None
    try:
        result = function(*map(float, values))
    except (ArithmeticError, ValueError):
        return None
    return result if math.isfinite(result) else None


def compared(function: Any, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if (isinstance(left, bool), isinstance(left, str)) != (isinstance(right, bool), isinstance(right, str)):
        return function is operator.ne
    return bool(function(left, right))


def known(function: Any, empty: Any) -> Any:
    def run(values: list[Any]) -> Any:
        values = [value for value in values if value is not None]
        return number(lambda *items: float(function(np.array(items))), *values) if values else empty

    return run


TESTS = {"startswith": str.startswith, "endswith": str.endswith, "contains": lambda text, part: part in text}
AGGREGATES = {
    "count": lambda values: sum(value is not None and value is not False for value in values),
    "any": any,
    "all": all,
    "sum": known(np.sum, 0),
    "mean": known(np.mean, None),
    "highest": known(np.max, None),
    "lowest": known(np.min, None),
}
