"""What ``set:`` writes: how a track remembers its readings.

``vote(text, window=5)``, ``best(text)``, ``last(text)``, ``mean(text.score)``; see REDUCERS for what they mean.
"""

from __future__ import annotations

from typing import Self

from visionkit.expr import memory
from visionkit.expr.checker import resolve
from visionkit.expr.errors import KIND, SYNTAX, ExprError, fail, quote
from visionkit.expr.expression import Expression
from visionkit.expr.functions import REDUCERS
from visionkit.expr.nodes import Name
from visionkit.expr.parsed import Parsed
from visionkit.expr.tokens import END, NAME, NUMBER, Token, tokenize
from visionkit.expr.types import Kind, Record, Scope, Type, with_rows

MAX_WINDOW = 10_000
_DEFAULT_WINDOW = {"vote": 5}


class Setter(Parsed):
    """A parsed ``set:`` value. A bare expression means ``last`` of it.

    At the outermost place ``mean(x)`` is the mean over time; the mean of a column is ``last(mean(x))``.

    Attributes:
        text: as it was written.
        reducer: ``vote``, ``best``, ``last`` or ``mean``.
        argument: what is read each time; a name may stand for a whole record. Its offsets are those of ``text``.
        window: how many readings back it looks; None for all of them, in constant memory.
    """

    reducer: str
    argument: Expression
    window: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``.

        Raises:
            ExprError: not a reducer of one expression, a window out of range, or no expression.
        """
        tokens = tokenize(text)
        if not _is_reducer(tokens):
            return cls(text, reducer="last", argument=Expression.parse(text), window=None)
        reducer, end = tokens[0].text, len(tokens) - 2
        comma = _top_level_comma(tokens)
        window = _window(reducer, tokens[comma:end], tokens[end]) if comma else _DEFAULT_WINDOW.get(reducer)
        start, stop = tokens[1].offset + 1, tokens[comma or end].offset
        return cls(text, reducer=reducer, argument=Expression.parse(text, start, stop), window=window)

    @property
    def names(self) -> frozenset[str]:
        """Every dotted name that is read."""
        return self.argument.names

    def type(self, scope: Scope) -> Type | Record:
        """What the name that is set will stand for: a scalar, or a record of scalars.

        Raises:
            ExprError: the first problem of :meth:`check_all`.
        """
        if problems := self.check_all(scope):
            raise problems[0]
        entry = self._entry(scope)
        return Type(Kind.NUMBER) if self.reducer == "mean" else with_rows(entry, per_row=False)

    def check_all(self, scope: Scope) -> list[ExprError]:
        """Every problem against ``scope``, in the order of the text."""
        try:
            entry = self._entry(scope)
        except ExprError:
            return self.argument.check_all(scope)
        problem = _misfit(self.reducer, entry, self.argument.tree.offset)
        return [problem] if problem else []

    def start(self) -> memory.Memory:
        """The state of one track: nothing read yet."""
        if self.reducer == "vote":
            return memory.Window(self.window or MAX_WINDOW, memory.vote)
        if self.reducer == "best":
            return memory.Window(self.window, memory.best) if self.window else memory.Kept(memory.better)
        if self.reducer == "mean":
            return memory.Window(self.window, memory.mean) if self.window else memory.RunningMean()
        return memory.Kept(lambda kept, new: new)

    def _entry(self, scope: Scope) -> Type | Record:
        tree = self.argument.tree
        if isinstance(tree, Name) and isinstance(entry := resolve(tree, scope), Record):
            return entry
        return self.argument.check(scope)


def _is_reducer(tokens: list[Token]) -> bool:
    """Whether a reducer's parentheses go from the second token to the last."""
    if len(tokens) < 2 or tokens[0].kind != NAME or tokens[0].text not in REDUCERS or tokens[1].text != "(":
        return False
    depth = 0
    for i, token in enumerate(tokens[1:], start=1):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0:
            return tokens[i + 1].kind == END
    return fail(SYNTAX, tokens[-1].offset, f"ends where ) to close {tokens[0].text}( was expected", "complete it")


def _top_level_comma(tokens: list[Token]) -> int:
    """The index of the comma that ends the argument, 0 if there is none."""
    depth = 0
    for i, token in enumerate(tokens):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if token.text == "," and depth == 1:
            return i
    return 0


def _window(reducer: str, tokens: list[Token], close: Token) -> int:
    """The number of ``, window = 5``."""
    usage = REDUCERS[reducer]
    if [token.text for token in tokens[1:3]] != ["window", "="] or len(tokens) != 4 or tokens[3].kind != NUMBER:
        where = tokens[1] if len(tokens) > 1 else close
        fail(SYNTAX, where.offset, f"after the comma, {reducer} takes only window=NUMBER", usage)
    if reducer == "last":
        fail(SYNTAX, tokens[1].offset, "last has no window: it is one reading", usage)
    number = tokens[3]
    if not number.text.isdecimal() or not 1 <= int(number.text) <= MAX_WINDOW:
        fail(
            SYNTAX,
            number.offset,
            f"window must be a whole number from 1 to {MAX_WINDOW}, got {quote(number.text)}",
            usage,
        )
    return int(number.text)


def _misfit(reducer: str, entry: Type | Record, offset: int) -> ExprError | None:
    """Why ``reducer`` cannot work on ``entry``."""
    if isinstance(entry, Record):
        return _misfit_record(reducer, entry, offset)
    if reducer in ("vote", "last") or entry.kind in (Kind.NUMBER, Kind.ANY):
        return None
    help = "write the value's id alone, so that its score is known" if reducer == "best" else "write mean(x.score)"
    return ExprError(KIND, offset, f"{reducer} needs a number, got {entry.kind.value}", help)


def _misfit_record(reducer: str, record: Record, offset: int) -> ExprError | None:
    message = {
        "mean": f"mean needs a number, got {record.noun}",
        "best": "" if "score" in record.fields else f"best needs a score, but {record.noun} has none",
        "vote": ""
        if record.fields.keys() & {*memory.KEYS}
        else f"vote needs a text or a class_name, not {record.noun}",
    }.get(reducer)
    help = f"write one of its columns: {', '.join(sorted(record.fields))}"
    return ExprError(KIND, offset, message, help) if message else None
