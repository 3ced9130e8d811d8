"""Expressions: conditions and values written in a pipeline file, in a small, safe part of Python's syntax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from visionkit.expr import values as v
from visionkit.expr.checker import Checker
from visionkit.expr.compiler import Env, Run, compiled
from visionkit.expr.errors import KIND, ExprError
from visionkit.expr.nodes import Name, Node, walk
from visionkit.expr.parsed import Parsed
from visionkit.expr.parser import parse
from visionkit.expr.types import Kind, Scope, Type
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Expression(Parsed):
    """A parsed expression.

    The laws of null: a comparison with null is false (``==`` and ``!=`` too), arithmetic with null is null, null as
    a condition is false, and ``x is null`` asks.

    Attributes:
        text: as it was written.
        names: every dotted name in it, such as ``car.plate.score``.
        tree: its syntax tree.
    """

    names: frozenset[str]
    tree: Node
    _run: Run

    @classmethod
    def parse(cls, text: str, start: int = 0, stop: int | None = None) -> Self:
        """Read ``text`` (or ``text[start:stop]`` of it, while offsets count in all of it); never runs any of it.

        Raises:
            ExprError: no expression, something that is not allowed, too long or too deep.
        """
        tree = parse(text, start, stop)
        names = frozenset(node.dotted for node in walk(tree) if isinstance(node, Name))
        return cls(text[start:stop], names=names, tree=tree, _run=compiled(tree))

    def check(self, scope: Scope, expect: Kind | None = None) -> Type:
        """The type of the result.

        Raises:
            ExprError: the first problem of :meth:`check_all`.
        """
        type_, problems = self._checked(scope, expect)
        if problems:
            raise problems[0]
        return type_

    def check_all(self, scope: Scope, expect: Kind | None = None) -> list[ExprError]:
        """Every problem against ``scope``, in the order of the text; with ``expect``, also a result of another kind."""
        return self._checked(scope, expect)[1]

    def _checked(self, scope: Scope, expect: Kind | None) -> tuple[Type, list[ExprError]]:
        checker = Checker(scope)
        type_ = checker.found(self.tree).type
        if expect is not None and expect is not type_.kind and Kind.ANY not in (expect, type_.kind):
            help = "compare it, as in: x > 0" if expect is Kind.BOOL else "write an expression that gives one"
            message = f"must be {expect.value}, but is {type_.kind.value}"
            checker.problems.append(ExprError(KIND, self.tree.offset, message, help))
        return type_, sorted(checker.problems, key=lambda problem: problem.offset)

    def evaluate(self, env: Env) -> Any:
        """The value: a column of shape (N,) if one took part, else a Python scalar or None.

        A column that was computed is float64, bool or object (text); one that was only named is as it came.

        Raises:
            ExprError: VK151, VK152 or VK153 where the values are not what a scope promised.
        """
        return self._run(env)

    def evaluate_rows(self, env: Env, count: int) -> NDArray[Any]:
        """Like :meth:`evaluate`, but always a column of ``count`` rows; a scalar (also an absent value) is repeated.

        Raises:
            ExprError: as :meth:`evaluate`; also if the column has another length.
        """
        value = self._run(env)
        if v.is_column(value):
            v.length([value, np.empty(count)], self.tree.offset)
            return np.asarray(value)
        return np.full(count, value, dtype=object if value is None or isinstance(value, str) else None)

    def holds(self, env: Env) -> bool:
        """A scalar condition: whether it is true; null is not.

        Raises:
            ExprError: as :meth:`evaluate`; also if the result is a column or neither true nor false.
        """
        value = v.flags(self._run(env), self.tree.offset)
        if v.is_column(value):
            message = "has one result per row where a single one is needed"
            raise ExprError(KIND, self.tree.offset, message, "write any(...) or all(...)")
        return bool(value)

    def mask(self, env: Env, count: int) -> NDArray[Any]:
        """A condition per row: bool (count,), false where null.

        Raises:
            ExprError: as :meth:`evaluate_rows`; also if a result is neither true nor false.
        """
        return np.asarray(v.flags(self.evaluate_rows(env, count), self.tree.offset))
