"""``when`` and ``until``: expressions on the values that exist at one point of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from visionkit.expr import ExprError, Expression, Kind, Record, Type
from visionkit.pipeline.document import QUOTES, Node, Scalar
from visionkit.pipeline.plan import Condition, Value
from visionkit.pipeline.variables import Variables
from visionkit.stage.fields import NUMBER, TEXT, record_of

PACKET_NAMES: dict[str, Type | Record] = {
    "index": NUMBER,
    "pts": NUMBER,
    "session": NUMBER,
    "source_name": TEXT,
}
"""What every expression may ask of the packet itself."""


def scope_of(values: Iterable[Value]) -> dict[str, Type | Record]:
    """Names for the type checker: the packet's own and every value by its id; ``a.b`` is the field ``b`` of ``a``."""
    scope = dict(PACKET_NAMES)
    dotted: dict[str, dict[str, Type | Record]] = {}
    for value in values:
        root, _, rest = value.id.partition(".")
        record = record_of(value.type, value.columns)
        if rest:
            dotted.setdefault(root, {})[rest] = record
        else:
            scope[root] = record
    for root, children in dotted.items():
        scope[root] = _with_children(scope.get(root), children)
    return scope


def _with_children(own: Type | Record | None, children: Mapping[str, Type | Record]) -> Record:
    """A record with further fields; a dotted name is a field of a field."""
    made: dict[str, Type | Record] = {}
    for name, record in children.items():
        first, _, rest = name.partition(".")
        made[first] = _with_children(made.get(first), {rest: record}) if rest else record
    if isinstance(own, Record):
        return replace(own, fields={**own.fields, **made})
    return Record(made, noun="several values")


def slots_of(names: Iterable[str], values: Iterable[Value]) -> dict[str, int]:
    """The slots of the values that dotted names speak of, by id."""
    heads = {head for name in names for head in _heads(name)}
    return {value.id: value.slot for value in values if value.id in heads}


def _heads(name: str) -> Iterator[str]:
    """``a.b.c`` → ``a``, ``a.b``, ``a.b.c``."""
    parts = name.split(".")
    return (".".join(parts[: i + 1]) for i in range(len(parts)))


def read_text(node: Node, where: str, variables: Variables) -> str | None:
    """The text of an expression; a number or true is text too, a mapping is a missing pair of quotes."""
    if isinstance(node, Scalar) and node.value is not None:
        return variables.text(node, where)
    variables.problems.add("VK108", where, "must be an expression", node, f'{QUOTES}: "..."')
    return None


def compile_condition(
    node: Node | None,
    where: str,
    scope: Mapping[str, Type | Record],
    values: Iterable[Value],
    variables: Variables,
    per_row: bool = False,
) -> Condition | None:
    """A checked condition, None if there is no node or problems were noted.

    ``per_row`` allows one answer per object; a plain condition gives one answer for the packet.
    """
    if node is None or (text := read_text(node, where, variables)) is None:
        return None
    try:
        expression = Expression.parse(text)
    except ExprError as error:
        variables.problems.add_expression(where, error, node)
        return None
    if variables.problems.misses(expression.names):
        return None
    errors = expression.check_all(scope)
    for problem in errors:
        variables.problems.add_expression(where, problem, node)
    if errors:
        return None
    result = expression.check(scope)
    if isinstance(result, Record) or result.kind not in (Kind.BOOL, Kind.ANY):
        variables.problems.add(
            "VK153", where, f"must be true or false, but {text!r} is a value", node, "compare it with something: > 0"
        )
        return None
    if result.per_row and not per_row:
        help_ = f"ask about all of them: any({text}), all({text})"
        variables.problems.add(
            "VK153", where, "gives an answer per object, but a stage runs for the packet as a whole", node, help_
        )
        return None
    return Condition(expression, slots_of(expression.names, values))
