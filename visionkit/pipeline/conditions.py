"""``when`` and ``until``: expressions on the values that exist at one point of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    """Names for the type checker: the packet's own and every value by its id."""
    scope = dict(PACKET_NAMES)
    for value in values:
        if "." not in value.id:
            scope[value.id] = record_of(value.type, value.columns)
    return scope


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
    roots = {name.partition(".")[0] for name in expression.names}
    slots = {v.id: v.slot for v in values if v.id in roots}
    return Condition(expression, slots)
