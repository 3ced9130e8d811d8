"""A place in a list of tokens, and what to say when the token there is not the one that was wanted."""

from __future__ import annotations

from typing import NoReturn

from visionkit.expr.errors import SYNTAX, fail, quote
from visionkit.expr.tokens import END, NAME, NUMBER, TEXT, Token

FORBIDDEN = {
    "lambda": "functions cannot be defined here",
    "for": "a condition goes row by row on its own; about all rows, ask any(...) or all(...)",
    "await": "only values and functions can be used here",
    "yield": "only values and functions can be used here",
    "import": "only values and functions can be used here",
}
_ADVICE = {
    "=": "to compare, write ==",
    "[": "rows cannot be picked one by one; write any(x), all(x), count(x), highest(x), lowest(x) or mean(x)",
    ",": "commas stand between the arguments of a function and the items of a list",
    **FORBIDDEN,
}
_LITERAL = (NAME, NUMBER, TEXT)


class Cursor:
    """Goes over tokens once, from the first to the one of kind END, which it never passes."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> Token:
        """The token that would be taken."""
        return self._tokens[self._at]

    def take(self) -> Token:
        """The next token; moves behind it."""
        token = self.next
        self._at += token.kind != END
        return token

    def sees(self, *words: str) -> bool:
        """Whether the next token is one of these symbols or words (a text is none: its token has the quotes)."""
        return self.next.text in words

    def takes(self, *words: str) -> bool:
        """Like :meth:`sees`, and moves behind it if so."""
        seen = self.sees(*words)
        self._at += seen
        return seen

    def expect(self, symbol: str, why: str) -> None:
        """Move behind ``symbol``.

        Raises:
            ExprError: something else is next.
        """
        if not self.takes(symbol):
            self.unexpected(f"{symbol} {why}")

    def unexpected(self, wanted: str) -> NoReturn:
        """Raise the ExprError that the next token is not what was ``wanted``."""
        token = self.next
        if token.kind == END:
            fail(SYNTAX, token.offset, f"ends where {wanted} was expected", "complete it")
        fail(SYNTAX, token.offset, f"found {quote(token.text)} where {wanted} was expected", self._advice(token))

    def _advice(self, token: Token) -> str:
        if token.text in _ADVICE:
            return _ADVICE[token.text]
        if self._at == 0:
            return "start with a name, a number, a text in quotes, not, - or ("
        before = self._tokens[self._at - 1]
        adjacent = before.offset + len(before.text) == token.offset
        if token.kind == TEXT and before.kind == NAME and adjacent:
            return "a text has no prefix; write the quotes alone"
        if token.kind == NAME and before.kind == NUMBER and adjacent:
            return f"{quote(before.text + token.text)} is neither a number nor a name"
        if before.text == "%":
            return "for 40 %, write 0.40; between two numbers, % is the remainder"
        if token.kind in _LITERAL and before.kind in _LITERAL:
            return "join conditions with and, or; put quotes around a text"
        return "an operator stands between two values, as in: cars.count > 3 and cars.count < 9"
