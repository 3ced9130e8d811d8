"""Text to tree: an operator-precedence parser (Pratt, "Top Down Operator Precedence", 1973).

The syntax and its precedence are Python's, cut down to a whitelist. It is read by hand rather than with Python's
``ast`` so that every error has its place in characters and says what to write instead, and so that the
language is the same under every Python version.
"""

from __future__ import annotations

from visionkit.expr.cursor import FORBIDDEN, Cursor
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
from visionkit.expr.tokens import END, NAME, NUMBER, TEXT, Token, tokenize

MAX_NESTING = 32
MAX_OPERATORS = 100
MAX_EXPONENT = 64
LITERALS: dict[str, Constant] = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}
RESERVED = {"and", "or", "not", "in", "is", "if", "else", *LITERALS, *FORBIDDEN}
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")

# How tightly an operator binds, loosest first, as in Python.
CHOICE, OR, AND, NOT, COMPARE, SUM, PRODUCT, SIGN, POWER = range(1, 10)
BINDING = {"if": CHOICE, "or": OR, "and": AND, "not": COMPARE, "in": COMPARE, "is": COMPARE}
BINDING |= dict.fromkeys(COMPARISONS, COMPARE)
BINDING |= {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "**": POWER}


def parse(text: str, start: int = 0, stop: int | None = None) -> Node:
    """The tree of ``text[start:stop]``; offsets count in all of ``text``.

    Raises:
        ExprError: it is no expression, uses what is not allowed, or is too long or too deep.
    """
    return Parser(tokenize(text, start, stop)).whole()


class Parser(Cursor):
    """Reads one expression. Recursion is bounded by MAX_NESTING, the depth of the tree by MAX_OPERATORS."""

    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self._nesting = 0
        self._operators = 0

    def whole(self) -> Node:
        """All tokens as one expression."""
        if self.next.kind == END:
            fail(SYNTAX, self.next.offset, "the expression is empty", "write a condition such as cars.count > 3")
        node = self._expression(CHOICE)
        if self.next.kind != END:
            self.unexpected("an operator or the end")
        return node

    def _expression(self, level: int) -> Node:
        """An operand and every operator after it that binds at least as tightly as ``level``."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            fail(SIZE, self.next.offset, f"is nested more than {MAX_NESTING} deep", "split it over several stages")
        node = self._operand(level)
        while self._binding() >= level:
            node = self._operator(node)
        self._nesting -= 1
        return node

    def _binding(self) -> int:
        return BINDING.get(self.next.text, 0)

    def _count(self) -> Token:
        """Take a token that makes the tree deeper."""
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            help = "split it over several stages; many values to compare with go into a list, as in: x in [1, 2]"
            fail(SIZE, self.next.offset, f"has more than {MAX_OPERATORS} operators", help)
        return self.take()

    # -- operators ---------------------------------------------------------------------------------------------

    def _operator(self, left: Node) -> Node:
        if self.sees("in", "is", "not"):
            return self._test(left)
        if self.sees(*COMPARISONS):
            return self._comparison(left)
        token = self._count()
        if token.text == "if":
            condition = self._expression(OR)
            self.expect("else", "and the other value")
            return Choice(token.offset, condition, left, self._expression(CHOICE))
        if token.text == "**":
            return self._power(token, left)
        right = self._expression(BINDING[token.text] + 1)
        if token.text not in ("and", "or"):
            return Arithmetic(token.offset, token.text, left, right)
        parts = left.operands if isinstance(left, Logic) and left.operator == token.text else (left,)
        return Logic(token.offset, token.text, (*parts, right))

    def _comparison(self, left: Node) -> Node:
        operators, operands = [], [left]
        while self.sees(*COMPARISONS):
            operators.append(self._count())
            operands.append(self._expression(SUM))
        self._end_of_chain()
        texts, offsets = tuple(token.text for token in operators), tuple(token.offset for token in operators)
        return Compare(offsets[0], texts, offsets, tuple(operands))

    def _test(self, left: Node) -> Node:
        """``is [not] null`` or ``[not] in [...]``."""
        token = self._count()
        if token.text == "is":
            negated = self.takes("not")
            if not self.takes("None", "null"):
                self.unexpected("null after is")
            self._end_of_chain()
            return IsNull(token.offset, left, negated)
        if token.text == "not":
            self.expect("in", "after not")
        items = self._items()
        self._end_of_chain()
        return Member(token.offset, left, items, token.text == "not")

    def _end_of_chain(self) -> None:
        if self._binding() == COMPARE:
            message = f"{self.next.text} cannot follow another comparison"
            fail(SYNTAX, self.next.offset, message, "join the two with and")

    def _items(self) -> tuple[Literal, ...]:
        close = {"[": "]", "(": ")"}.get(self.next.text, "")
        if not close:
            help = 'write a list, as in: x in ["car", "truck"]; to look into a text, write contains(text, part)'
            fail(SYNTAX, self.next.offset, "in takes a list of numbers or texts", help)
        self.take()
        items = [self._item()]
        while self.takes(",") and not self.sees(close):
            items.append(self._item())
        self.expect(close, "or a comma")
        return tuple(items)

    def _item(self) -> Literal:
        offset = self.next.offset
        node = self._expression(SIGN)
        if isinstance(node, Negate) and isinstance(node.operand, Literal) and type(node.operand.value) is float:
            node = Literal(offset, -node.operand.value)
        if not isinstance(node, Literal) or node.value is None:
            message = "a list holds only numbers, texts in quotes, true and false"
            fail(SYNTAX, offset, message, "put quotes around a text; to ask for null, write: x is null")
        return node

    def _power(self, token: Token, left: Node) -> Node:
        right = self._expression(SIGN)
        exponent = right.operand if isinstance(right, Negate) else right
        if isinstance(exponent, Arithmetic) and exponent.operator == "**":
            fail(SYNTAX, exponent.offset, "powers cannot be chained", "use parentheses: (a ** b) ** c")
        if isinstance(exponent, Literal) and isinstance(exponent.value, float) and exponent.value > MAX_EXPONENT:
            fail(SYNTAX, exponent.offset, f"an exponent is at most {MAX_EXPONENT}", "use a smaller one")
        return Arithmetic(token.offset, "**", left, right)

    # -- operands ----------------------------------------------------------------------------------------------

    def _operand(self, level: int) -> Node:
        token = self.next
        if token.kind == NUMBER:
            return Literal(token.offset, _number(self.take()))
        if token.kind == TEXT:
            return Literal(token.offset, self.take().text[1:-1])
        if self.sees(*LITERALS):
            return Literal(token.offset, LITERALS[self.take().text])
        if self.sees("not", "-", "+"):
            return self._prefixed(level)
        if self.sees("("):
            self._count()
            node = self._expression(CHOICE)
            self.expect(")", "to close the parenthesis")
            return node
        if token.kind != NAME or token.text in RESERVED:
            self.unexpected("a value")
        return self._name()

    def _prefixed(self, level: int) -> Node:
        token = self._count()
        if token.text == "-":
            return Negate(token.offset, self._expression(SIGN))
        if token.text == "+":
            fail(SYNTAX, token.offset, "+ stands between two numbers", "leave it out")
        if level > NOT:
            fail(SYNTAX, token.offset, "not binds less than the operator before it", "put it in parentheses: (not x)")
        return Not(token.offset, self._expression(NOT))

    def _name(self) -> Node:
        parts = [self.take()]
        while self.takes("."):
            if self.next.kind != NAME:
                self.unexpected("a column after the dot")
            parts.append(self.take())
        for part in parts:
            if part.text.startswith("_"):
                fail(SYNTAX, part.offset, f"{quote(part.text)}: no name starts with _", "use a value's id or a column")
        if self.sees("("):
            return self._call(parts)
        return Name(parts[0].offset, tuple(part.text for part in parts), tuple(part.offset for part in parts))

    def _call(self, parts: list[Token]) -> Node:
        name = parts[-1].text
        if len(parts) > 1:
            help = f"write {name}({'.'.join(part.text for part in parts[:-1])})" if name in FUNCTIONS else ""
            message = f"{quote(name)} is called as a method, but only functions can be called"
            fail(SYNTAX, parts[-1].offset, message, help or f"functions: {', '.join(FUNCTIONS)}")
        if name in REDUCERS and name not in FUNCTIONS:
            message = f"{name} remembers over time; it stands outermost, in set, and nowhere else"
            fail(SYNTAX, parts[0].offset, message, REDUCERS[name])
        if name not in FUNCTIONS:
            help = suggest(name, FUNCTIONS, "functions")
            fail(SYNTAX, parts[0].offset, f"there is no function {quote(name)}", help)
        self._count()
        return self._called(parts[0])

    def _called(self, name: Token) -> Node:
        function, arguments = FUNCTIONS[name.text], self._arguments(name.text)
        if not function.accepts(len(arguments)):
            message = f"{name.text} takes {function.counts}, got {len(arguments)}"
            fail(SYNTAX, name.offset, message, function.usage)
        if name.text == "round" and len(arguments) == 2 and not _is_digits(arguments[1]):
            fail(SYNTAX, arguments[1].offset, "the digits of round are a whole number from 0 to 15", function.usage)
        return Call(name.offset, function.name_for(len(arguments)), tuple(arguments))

    def _arguments(self, function: str) -> list[Node]:
        arguments: list[Node] = []
        while not self.sees(")"):
            arguments.append(self._expression(CHOICE))
            if not self.takes(","):
                break
        self.expect(")", f"or a comma in {function}(...)")
        return arguments


def _is_digits(node: Node) -> bool:
    return isinstance(node, Literal) and isinstance(node.value, float) and node.value in range(16)


def _number(token: Token) -> float:
    value = float(token.text)
    if value > 2**53:
        fail(SYNTAX, token.offset, f"{quote(token.text, 20)} is too big a number", "numbers go up to 2 ** 53")
    return value
