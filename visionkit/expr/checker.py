"""Kinds of an expression's parts against a scope, before anything runs; finds every problem, not only the first."""

from __future__ import annotations

from collections.abc import Iterable
from functools import singledispatchmethod

from visionkit.expr.errors import COLUMN, KIND, NAME, ExprError, quote, suggest
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
from visionkit.expr.types import Kind, Record, Scope, Type
from visionkit.frozen import Frozen


class Found(Frozen):
    """What is known of a node: its kind, and whose rows it has one value for (None: a scalar, or ``vague``)."""

    kind: Kind
    rows: str | None = None
    null: bool = False
    vague: bool = False

    @property
    def type(self) -> Type:
        return Type(self.kind, self.rows is not None)


UNKNOWN = Found(Kind.ANY, vague=True)


def resolve(name: Name, scope: Scope) -> Type | Record:
    """What ``name`` stands for.

    Raises:
        ExprError: there is no such name or column.
    """
    entry: Type | Record | None = scope.get(name.path[0])
    if entry is None:
        known = name.path[0] in FUNCTIONS
        help = FUNCTIONS[name.path[0]].usage if known else suggest(name.path[0], scope, "names here")
        raise ExprError(NAME, name.offset, f"there is no value named {quote(name.path[0])}", help)
    for i, part in enumerate(name.path[1:], start=1):
        owner = ".".join(name.path[:i])
        if isinstance(entry, Type):
            raise ExprError(COLUMN, name.offsets[i], f"{owner} is {entry} and has no columns", f"write {owner} alone")
        if part not in entry.fields:
            help = suggest(part, entry.fields, f"columns of {owner}")
            raise ExprError(COLUMN, name.offsets[i], f"{owner} ({entry.noun}) has no column {quote(part)}", help)
        entry = entry.fields[part]
    return entry


def resolve_value(name: Name, scope: Scope) -> Type:
    """Like :func:`resolve`, for where one value is needed and not a record of several.

    Raises:
        ExprError: there is no such name or column, or it is a record.
    """
    entry = resolve(name, scope)
    if isinstance(entry, Type):
        return entry
    message = f"{name.dotted} stands for {entry.noun}, not for one value"
    columns = ", ".join(f"{name.dotted}.{field}" for field in list(entry.fields)[:8])
    raise ExprError(KIND, name.offset, message, f"write one of its columns: {columns}")


def owner_of(name: Name, type_: Type, scope: Scope) -> str | None:
    """Whose rows a column has one value for: the record at the start of its name; None for a scalar."""
    if not type_.per_row:
        return None
    first = scope[name.path[0]]
    return "the columns here" if isinstance(first, Type) or first.column else name.path[0]


def strangers(owners: Iterable[str | None], offset: int) -> ExprError | None:
    """The problem of combining rows of several owners; rows of one value, and scalars, go together."""
    names = list(dict.fromkeys(owner for owner in owners if owner is not None))
    if len(names) < 2:
        return None
    help = "make a single value of one of them: any(...), count(...), highest(...), lowest(...) or mean(...)"
    message = f"combines rows of {' and of '.join(names)}, which do not belong together"
    return ExprError(KIND, offset, message, help)


class Checker:
    """Finds the kind of every node; what is wrong on the way is collected in ``problems``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.problems: list[ExprError] = []

    @singledispatchmethod
    def found(self, node: Node) -> Found:
        """What is known of ``node``; after a problem, nothing, so that one mistake is reported once."""
        raise TypeError(f"no node of the language: {node!r}")

    def _problem(self, code: str, offset: int, message: str, help: str) -> Found:
        self.problems.append(ExprError(code, offset, message, help))
        return UNKNOWN

    def _want(self, node: Node, kind: Kind, who: str) -> Found:
        """What ``node`` is; a problem if it cannot be of ``kind``."""
        found = self.found(node)
        if found.kind is kind or Kind.ANY in (found.kind, kind):
            return found
        message = f"{who} needs {kind.value}, got {found.kind.value}"
        self._problem(KIND, node.offset, message, _mend(kind, found.kind))
        return Found(Kind.ANY, found.rows)

    def _combined(self, offset: int, kind: Kind, parts: Iterable[Found]) -> Found:
        """The result of combining ``parts`` row by row."""
        parts = list(parts)
        owners = [part.rows for part in parts if part.rows is not None]
        if problem := strangers(owners, offset):
            self.problems.append(problem)
            return UNKNOWN
        return Found(kind, owners[0] if owners else None, vague=not owners and any(part.vague for part in parts))

    @found.register(Literal)
    def _(self, node: Literal) -> Found:
        if node.value is None:
            return Found(Kind.ANY, null=True)
        return Found({bool: Kind.BOOL, str: Kind.TEXT}.get(type(node.value), Kind.NUMBER))

    @found.register(Name)
    def _(self, node: Name) -> Found:
        try:
            type_ = resolve_value(node, self._scope)
        except ExprError as error:
            self.problems.append(error)
            return UNKNOWN
        return Found(type_.kind, owner_of(node, type_, self._scope))

    @found.register(Negate)
    def _(self, node: Negate) -> Found:
        return self._combined(node.offset, Kind.NUMBER, [self._want(node.operand, Kind.NUMBER, "-")])

    @found.register(Arithmetic)
    def _(self, node: Arithmetic) -> Found:
        parts = [self._want(part, Kind.NUMBER, node.operator) for part in (node.left, node.right)]
        return self._combined(node.offset, Kind.NUMBER, parts)

    @found.register(Not)
    def _(self, node: Not) -> Found:
        return self._combined(node.offset, Kind.BOOL, [self._want(node.operand, Kind.BOOL, "not")])

    @found.register(Logic)
    def _(self, node: Logic) -> Found:
        parts = [self._want(part, Kind.BOOL, node.operator) for part in node.operands]
        return self._combined(node.offset, Kind.BOOL, parts)

    @found.register(IsNull)
    def _(self, node: IsNull) -> Found:
        return self._combined(node.offset, Kind.BOOL, [self.found(node.operand)])

    @found.register(Compare)
    def _(self, node: Compare) -> Found:
        parts = [self.found(part) for part in node.operands]
        for i, operator in enumerate(node.operators):
            self._comparable(operator, node.offsets[i], parts[i], parts[i + 1])
        return self._combined(node.offset, Kind.BOOL, parts)

    def _comparable(self, operator: str, offset: int, left: Found, right: Found) -> None:
        if left.null or right.null:
            help = f"write: x is {'not ' if operator == '!=' else ''}null"
            self._problem(KIND, offset, "a comparison with null is always false", help)
        elif Kind.ANY in (left.kind, right.kind):
            return
        elif left.kind is not right.kind:
            help = "compare values of one kind; texts stand in quotes, numbers do not"
            self._problem(KIND, offset, f"{operator} compares {left.kind.value} with {right.kind.value}", help)
        elif left.kind is Kind.BOOL and operator not in ("==", "!="):
            help = "join conditions with and, or, not"
            self._problem(KIND, offset, f"{operator} cannot order true and false", help)

    @found.register(Member)
    def _(self, node: Member) -> Found:
        operand = self.found(node.operand)
        for item in node.items:
            kind = self.found(item).kind
            if operand.kind not in (kind, Kind.ANY):
                message = f"looks for {operand.kind.value} in a list that holds {kind.value}"
                self._problem(KIND, item.offset, message, "texts stand in quotes, numbers do not")
                break
        return self._combined(node.offset, Kind.BOOL, [operand])

    @found.register(Choice)
    def _(self, node: Choice) -> Found:
        then, otherwise = self.found(node.then), self.found(node.otherwise)
        condition = self._want(node.condition, Kind.BOOL, "if")
        kinds = list(dict.fromkeys(part.kind for part in (then, otherwise) if not part.null))
        if len(kinds) > 1 and Kind.ANY not in kinds:
            message = f"gives {kinds[0].value} or {kinds[1].value}"
            self._problem(KIND, node.offset, message, "both values of a choice must be of one kind")
        kind = kinds[0] if len(kinds) == 1 else Kind.ANY
        return self._combined(node.offset, kind, [then, condition, otherwise])

    @found.register(Call)
    def _(self, node: Call) -> Found:
        function = FUNCTIONS[node.function]
        wanted = [(part, function.kind_of_argument(i)) for i, part in enumerate(node.arguments)]
        parts = [self._want(part, kind, f"{function.name}()") for part, kind in wanted]
        if not function.aggregate:
            return self._combined(node.offset, function.gives, parts)
        if parts[0].rows is None and parts[0].kind is not Kind.ANY and not parts[0].vague:
            message = f"{function.name}() needs a column, got a single value"
            help = f"{function.usage}; a column has one value per object"
            self._problem(KIND, node.arguments[0].offset, message, help)
        return Found(function.gives)


def _mend(wanted: Kind, got: Kind) -> str:
    """How to make a value of the kind ``wanted`` out of one of another."""
    if wanted is Kind.BOOL:
        return "compare it, as in: x > 0" if got is Kind.NUMBER else 'compare it, as in: x == "car"'
    if wanted is Kind.TEXT:
        return "texts stand in quotes"
    if got is Kind.TEXT:
        return "numbers stand without quotes; texts are joined in a template, as in {a} {b}"
    return "to count the rows where something is true, write count(...)"
