"""Text to tree: an operator-precedence parser (Pratt, "Top Down Operator Precedence", 1973).

The syntax and its precedence are Python's, cut down to a whitelist. It is read by hand rather than with Python's
``ast`` so that every error has its place in characters and says what to write instead, and so that the
language is the same under every Python version.
"""

from __future__ import annotations

from typing import NoReturn

from visionkit.expr.errors import SIZE, SYNTAX, fail, quote, suggest
from visionkit.expr.functions import FUNCTIONS, REDUCERS
from visionkit.expr.nodes import (
    Arithmetic,
    Call,
    Choice,
    Compare,
    Constant,
    IsNull,
    Literal,
    Logic,
    Member,
    Name,
    Negate,
    Node,
    Not,
)
from visionkit.expr.tokens import END, NAME, NUMBER, SYMBOL, TEXT, Token, tokenize

MAX_NESTING = 32
MAX_OPERATORS = 100
MAX_EXPONENT = 64
LITERALS: dict[str, Constant] = {"True": True, "true": True, "False": False, "false": False}
LITERALS |= {"None": None, "null": None}
KEYWORDS = {"and", "or", "not", "in", "is", "if", "else", *LITERALS}
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

# How tightly an operator binds, loosest first, as in Python.
CHOICE, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER = range(1, 10)
BINDING = {"if": CHOICE, "or": OR, "and": AND, "not": COMPARE, "in": COMPARE, "is": COMPARE}
BINDING |= dict.fromkeys(COMPARISONS, COMPARE)
BINDING |= {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER}

_FORBIDDEN = {
    "lambda": "functions cannot be defined here",
    "for": "a condition is applied to every row by itself; to ask about all rows, write any(...) or all(...)",
    "await": "only values and functions can be used here",
    "yield": "only values and functions can be used here",
    "import": "only values and functions can be used here",
}


def parse(text: str, start: int = 0, stop: int | None = None) -> Node:
    """The tree of ``text[start:stop]``; offsets count in all of ``text``.

    Raises:
        ExprError: it is no expression, uses what is not allowed, or is too long or too deep.
    """
    return Parser(tokenize(text, start, stop)).whole()


class Parser:
    """Walks once over the tokens; recursion is bounded by MAX_NESTING, the tree by MAX_OPERATORS."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0
        self._operators = 0

    def whole(self) -> Node:
        if self._next.kind == END:
            fail(SYNTAX, self._next.offset, "the expression is empty", "write a condition such as cars.count > 3")
        node = self._expression(CHOICE)
        if self._next.kind != END:
            self._unexpected("an operator or the end")
        return node

    # -- tokens ------------------------------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += token.kind != END
        return token

    def _sees(self, *words: str) -> bool:
        return self._next.text in words and self._next.kind in (SYMBOL, NAME)

    def _expect(self, symbol: str, after: str) -> Token:
        if not self._sees(symbol):
            self._unexpected(f"{symbol} {after}")
        return self._take()

    def _unexpected(self, wanted: str) -> NoReturn:
        token = self._next
        if token.kind == END:
            fail(SYNTAX, token.offset, f"ends where {wanted} was expected", "complete it")
        fail(SYNTAX, token.offset, f"found {quote(token.text)} where {wanted} was expected", self._advice(token))

    def _advice(self, token: Token) -> str:
        before = self._tokens[self._at - 1] if self._at else token
        adjacent = before.offset + len(before.text) == token.offset
        if token.text in _FORBIDDEN:
            return _FORBIDDEN[token.text]
        if token.text == "=":
            return "to compare, write =="
        if token.text == "[":
            return "single rows cannot be picked; use any(x), all(x), count(x), highest(x), lowest(x) or mean(x)"
        if token.text == "." and before.kind != NAME:
            return "only a name has columns"
        if token.kind == TEXT and before.kind == NAME and adjacent:
            return "a text has no prefix; write the quotes alone"
        if token.kind == NAME and before.kind == NUMBER and adjacent:
            return f"{quote(before.text + token.text)} is neither a number nor a name"
        if token.kind in (NAME, NUMBER, TEXT) and before.kind in (NAME, NUMBER, TEXT):
            return "join conditions with and, or; put quotes around a text"
        return "see 'Expressions' in the documentation for what can be written"

    # -- grammar -----------------------------------------------------------------------------------------------

    def _expression(self, level: int) -> Node:
        """An operand and every operator after it that binds at least as tightly as ``level``."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            fail(SIZE, self._next.offset, f"is nested more than {MAX_NESTING} deep", "split it over several stages")
        node = self._operand(level)
        while self._next.kind in (SYMBOL, NAME) and BINDING.get(self._next.text, 0) >= level:
            node = self._operator(node)
        self._nesting -= 1
        return node

    def _count(self, token: Token) -> Token:
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            fail(SIZE, token.offset, f"has more than {MAX_OPERATORS} operators", "split it over several stages")
        return token

    def _operator(self, left: Node) -> Node:
        token = self._count(self._next)
        if token.text in ("in", "is", "not"):
            return self._test(left)
        if token.text in COMPARISONS:
            return self._comparison(left)
        self._take()
        if token.text in ("and", "or"):
            right = self._expression(BINDING[token.text] + 1)
            parts = left.operands if isinstance(left, Logic) and left.operator == token.text else (left,)
            return Logic(token.offset, token.text, (*parts, right))
        if token.text == "if":
            condition = self._expression(OR)
            self._expect("else", "and the other value")
            return Choice(token.offset, condition, left, self._expression(CHOICE))
        if token.text == "**":
            return self._power(token, left)
        return Arithmetic(token.offset, token.text, left, self._expression(BINDING[token.text] + 1))

    def _comparison(self, left: Node) -> Node:
        operators, operands = [self._take()], [left, self._expression(SUM)]
        while self._sees(*COMPARISONS):
            operators.append(self._count(self._take()))
            operands.append(self._expression(SUM))
        self._end_of_chain()
        offsets = tuple(token.offset for token in operators)
        return Compare(offsets[0], tuple(token.text for token in operators), offsets, tuple(operands))

    def _test(self, left: Node) -> Node:
        """``is [not] null`` or ``[not] in [...]``."""
        token = self._take()
        if token.text == "is":
            negated = self._sees("not") and bool(self._take())
            if not self._sees("None", "null"):
                self._unexpected("null after is")
            self._take()
            self._end_of_chain()
            return IsNull(token.offset, left, negated)
        negated = token.text == "not"
        if negated:
            self._expect("in", "after not")
        items = self._items()
        self._end_of_chain()
        return Member(token.offset, left, items, negated)

    def _end_of_chain(self) -> None:
        if self._next.kind in (SYMBOL, NAME) and BINDING.get(self._next.text) == COMPARE:
            fail(SYNTAX, self._next.offset, f"{self._next.text} cannot follow another comparison", "join the two with and")

    def _items(self) -> tuple[Literal, ...]:
        if not self._sees("[", "("):
            help = 'write a list, as in: class_name in ["car", "truck"]; to look into a text, write contains(text, part)'
            fail(SYNTAX, self._next.offset, "in takes a list of numbers or texts", help)
        close = {"[": "]", "(": ")"}[self._take().text]
        items = [self._item()]
        while self._sees(","):
            self._take()
            if not self._sees(close):
                items.append(self._item())
        self._expect(close, "or a comma")
        return tuple(items)

    def _item(self) -> Literal:
        offset = self._next.offset
        node = self._expression(SIGN)
        if isinstance(node, Negate) and isinstance(node.operand, Literal) and type(node.operand.value) is float:
            node = Literal(offset, -node.operand.value)
        if not isinstance(node, Literal) or node.value is None:
            fail(SYNTAX, offset, "a list holds only numbers, texts in quotes, true and false", "put quotes around a text")
        return node

    def _power(self, token: Token, left: Node) -> Node:
        right = self._expression(SIGN)
        exponent = right.operand if isinstance(right, Negate) else right
        if isinstance(exponent, Arithmetic) and exponent.operator == "**":
            fail(SYNTAX, exponent.offset, "powers cannot be chained", "use parentheses: (a ** b) ** c")
        if isinstance(exponent, Literal) and isinstance(exponent.value, float) and exponent.value > MAX_EXPONENT:
            fail(SYNTAX, exponent.offset, f"an exponent is at most {MAX_EXPONENT}", "use a smaller one")
        return Arithmetic(token.offset, "**", left, right)

    def _operand(self, level: int) -> Node:
        token = self._next
        if token.kind == NUMBER:
            return Literal(token.offset, _number(self._take()))
        if token.kind == TEXT:
            return Literal(token.offset, self._take().text[1:-1])
        if self._sees("not"):
            if level > NOT:
                fail(SYNTAX, token.offset, "not binds looser than the operator before it", "put it in parentheses: (not x)")
            return Not(self._count(self._take()).offset, self._expression(NOT))
        if self._sees("-", "+"):
            return self._sign()
        if self._sees("("):
            return self._parenthesis()
        if token.kind == NAME and token.text in LITERALS:
            return Literal(token.offset, LITERALS[self._take().text])
        if token.kind == NAME and token.text not in KEYWORDS and token.text not in _FORBIDDEN:
            return self._name()
        self._unexpected("a value")

    def _sign(self) -> Node:
        token = self._count(self._take())
        operand = self._expression(SIGN)
        return Negate(token.offset, operand) if token.text == "-" else Negate(token.offset, Negate(token.offset, operand))

    def _parenthesis(self) -> Node:
        self._count(self._take())
        node = self._expression(CHOICE)
        self._expect(")", "to close the parenthesis")
        return node

    def _name(self) -> Node:
        parts = [self._take()]
        while self._sees("."):
            self._take()
            if self._next.kind != NAME:
                self._unexpected("a column after the dot")
            parts.append(self._take())
        for part in parts:
            if part.text.startswith("_"):
                fail(SYNTAX, part.offset, f"{quote(part.text)}: names do not start with _", "use a value's id or a column")
        if self._sees("("):
            return self._call(parts)
        return Name(parts[0].offset, tuple(p.text for p in parts), tuple(p.offset for p in parts))

    def _call(self, parts: list[Token]) -> Node:
        name = parts[-1]
        if len(parts) > 1:
            known = name.text in FUNCTIONS
            help = f"write {name.text}({'.'.join(p.text for p in parts[:-1])})" if known else f"functions: {', '.join(FUNCTIONS)}"
            fail(SYNTAX, name.offset, f"{quote(name.text)} is called as a method; only functions can be called", help)
        if name.text in REDUCERS and name.text not in FUNCTIONS:
            fail(SYNTAX, name.offset, f"{name.text} remembers over time and stands only outermost in set", REDUCERS[name.text])
        if name.text not in FUNCTIONS:
            fail(SYNTAX, name.offset, f"there is no function {quote(name.text)}", suggest(name.text, FUNCTIONS, "functions"))
        self._count(self._take())
        arguments = self._arguments(name)
        return Call(name.offset, FUNCTIONS[name.text].name_for(len(arguments)), tuple(arguments))

    def _arguments(self, name: Token) -> list[Node]:
        arguments: list[Node] = []
        while not self._sees(")"):
            arguments.append(self._expression(CHOICE))
            if not self._sees(")"):
                self._expect(",", f"or ) in the arguments of {name.text}")
        self._take()
        function = FUNCTIONS[name.text]
        if not function.accepts(len(arguments)):
            fail(SYNTAX, name.offset, f"{name.text} takes {function.counts}, got {len(arguments)}", function.usage)
        if function.name == "round" and len(arguments) == 2 and not _is_digits(arguments[1]):
            fail(SYNTAX, arguments[1].offset, "the digits of round are a whole number from 0 to 15", function.usage)
        return arguments


def _is_digits(node: Node) -> bool:
    return isinstance(node, Literal) and node.value in range(16) and not isinstance(node.value, bool)


def _number(token: Token) -> float:
    value = float(token.text)
    if value > 2**53:
        fail(SYNTAX, token.offset, f"{quote(token.text, 20)} is too big a number", "numbers go up to 2 ** 53")
    return value
