"""Kinds of an expression's parts against a scope, before anything runs; finds every problem, not only the first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Found:
    """What is known of a node: its kind, and whose rows it has one value for (None: a scalar)."""

    kind: Kind
    rows: str | None = None
    null: bool = False

    @property
    def type(self) -> Type:
        return Type(self.kind, self.rows is not None)


UNKNOWN = Found(Kind.ANY)


def resolve(name: Name, scope: Scope) -> Type | Record:
    """What ``name`` stands for.

    Raises:
        ExprError: there is no such name or column.
    """
    entry: Type | Record | None = scope.get(name.path[0])
    if entry is None:
        known = name.path[0] in FUNCTIONS
        help = f"{FUNCTIONS[name.path[0]].usage}" if known else suggest(name.path[0], scope, "names here")
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
    columns = ", ".join(f"{name.dotted}.{field}" for field in list(entry.fields)[:8])
    raise ExprError(KIND, name.offset, f"{name.dotted} stands for {entry.noun}, not for one value", f"write one of its columns: {columns}")


class Checker:
    """Checks a tree; ``problems`` are in the order of the text once :meth:`found` has been called on the root."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.problems: list[ExprError] = []

    def found(self, node: Node) -> Found:
        match node:
            case Literal():
                return self._literal(node)
            case Name():
                return self._name(node)
            case Negate():
                return self._combined(node.offset, Kind.NUMBER, [self._want(node.operand, Kind.NUMBER, "a sign")])
            case Arithmetic():
                return self._arithmetic(node)
            case Compare():
                return self._compare(node)
            case Member():
                return self._member(node)
            case IsNull():
                return self._combined(node.offset, Kind.BOOL, [self.found(node.operand)])
            case Logic():
                return self._combined(
                    node.offset, Kind.BOOL, [self._want(part, Kind.BOOL, node.operator) for part in node.operands]
                )
            case Not():
                return self._combined(node.offset, Kind.BOOL, [self._want(node.operand, Kind.BOOL, "not")])
            case Choice():
                return self._choice(node)
            case Call():
                return self._call(node)

    def _problem(self, code: str, offset: int, message: str, help: str) -> Found:
        self.problems.append(ExprError(code, offset, message, help))
        return UNKNOWN

    def _literal(self, node: Literal) -> Found:
        if node.value is None:
            return Found(Kind.ANY, null=True)
        kinds = {bool: Kind.BOOL, str: Kind.TEXT}
        return Found(kinds.get(type(node.value), Kind.NUMBER))

    def _name(self, node: Name) -> Found:
        try:
            entry = resolve_value(node, self._scope)
        except ExprError as error:
            self.problems.append(error)
            return UNKNOWN
        owner = node.path[0] if len(node.path) > 1 else ""
        return Found(entry.kind, owner if entry.per_row else None)

    def _want(self, node: Node, kind: Kind, who: str) -> Found:
        """What ``node`` is; a problem if it cannot be of ``kind``."""
        found = self.found(node)
        if found.kind not in (kind, Kind.ANY) and kind is not Kind.ANY:
            self._problem(KIND, node.offset, f"{who} needs {kind.value}, got {found.kind.value}", _mend(kind, found.kind))
        return found

    def _combined(self, offset: int, kind: Kind, parts: Iterable[Found]) -> Found:
        """The result of combining ``parts`` row by row."""
        owners = {part.rows: None for part in parts if part.rows is not None}
        if len(owners) > 1:
            names = " and of ".join(owner or "the columns here" for owner in owners)
            help = "make one of them a single value with any(...), count(...), highest(...), lowest(...) or mean(...)"
            return self._problem(KIND, offset, f"combines rows of {names}, which do not belong together", help)
        return Found(kind, next(iter(owners), None))

    def _arithmetic(self, node: Arithmetic) -> Found:
        parts = [self._want(part, Kind.NUMBER, node.operator) for part in (node.left, node.right)]
        return self._combined(node.offset, Kind.NUMBER, parts)

    def _compare(self, node: Compare) -> Found:
        parts = [self.found(part) for part in node.operands]
        for i, operator in enumerate(node.operators):
            self._comparable(operator, node.offsets[i], parts[i], parts[i + 1])
        return self._combined(node.offset, Kind.BOOL, parts)

    def _comparable(self, operator: str, offset: int, left: Found, right: Found) -> None:
        if left.null or right.null:
            negated = "not " if operator == "!=" else ""
            self._problem(KIND, offset, "a comparison with null is always false", f"write: x is {negated}null")
        elif Kind.ANY in (left.kind, right.kind):
            return
        elif left.kind is not right.kind:
            kinds = f"{left.kind.value} with {right.kind.value}"
            self._problem(KIND, offset, f"{operator} compares {kinds}", "compare values of one kind; texts stand in quotes, numbers do not")
        elif left.kind is Kind.BOOL and operator not in ("==", "!="):
            self._problem(KIND, offset, f"{operator} cannot order true and false", "join conditions with and, or, not")

    def _member(self, node: Member) -> Found:
        operand = self.found(node.operand)
        for item in node.items:
            kind = self.found(item).kind
            if Kind.ANY not in (kind, operand.kind) and kind is not operand.kind:
                message = f"looks for {operand.kind.value} in a list that holds {kind.value}"
                self._problem(KIND, item.offset, message, "texts stand in quotes, numbers do not")
                break
        return self._combined(node.offset, Kind.BOOL, [operand])

    def _choice(self, node: Choice) -> Found:
        then = self.found(node.then)
        condition = self._want(node.condition, Kind.BOOL, "if")
        otherwise = self.found(node.otherwise)
        kinds = [part.kind for part in (then, otherwise) if not part.null]
        known = [kind for kind in kinds if kind is not Kind.ANY]
        if len(set(known)) > 1:
            message = f"gives {known[0].value} or {known[1].value}"
            self._problem(KIND, node.offset, message, "both values of a choice must be of one kind")
        kind = known[0] if len(set(known)) == 1 and len(known) == len(kinds) else Kind.ANY
        return self._combined(node.offset, kind, [then, condition, otherwise])

    def _call(self, node: Call) -> Found:
        function = FUNCTIONS[node.function]
        parts = [
            self._want(argument, function.kind_of_argument(i), f"{function.name}()")
            for i, argument in enumerate(node.arguments)
        ]
        if not function.aggregate:
            return self._combined(node.offset, function.gives, parts)
        if parts[0].rows is None and parts[0] is not UNKNOWN:
            message = f"{function.name}() needs a column, got {parts[0].kind.value} that is a single value"
            self._problem(KIND, node.arguments[0].offset, message, f"{function.usage}; a column has one value per object")
        return Found(function.gives)


def _mend(wanted: Kind, got: Kind) -> str:
    match wanted, got:
        case Kind.BOOL, Kind.NUMBER:
            return "compare it, as in: x > 0"
        case Kind.BOOL, _:
            return 'compare it, as in: x == "car"'
        case Kind.NUMBER, Kind.TEXT:
            return "numbers stand without quotes; texts are joined in a template, as in {a} {b}"
        case Kind.NUMBER, _:
            return "to count where something is true, write count(...)"
        case _:
            return "texts stand in quotes"
