"""``for_each``: a nested list on the crop of every object, with cadence and memory."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from visionkit.data import Detections, Image, TextLines
from visionkit.data.detections import GEOMETRY
from visionkit.errors import did_you_mean
from visionkit.expr import ExprError, Record, Setter, Type
from visionkit.pipeline.conditions import compile_condition, read_text, scope_of, slots_of
from visionkit.pipeline.document import Mapping, Scalar
from visionkit.pipeline.items import Item, misnamed, read_on_error
from visionkit.pipeline.parameters import stray
from visionkit.pipeline.plan import Cadence, ForEachNode, Node, Scope, SetColumn
from visionkit.pipeline.wiring import Board, Wirer
from visionkit.stage.fields import record_of
from visionkit.stage.ports import InputPort

if TYPE_CHECKING:
    from visionkit.pipeline.compile import Compiler

PORTS = (InputPort("objects", (Detections,)), InputPort("image", (Image,)))
EXPORTED = (Detections, TextLines)
TAKEN = {*GEOMETRY, "count", "class_id", "track_id"}
"""Columns that ``set`` cannot set; ``score`` and ``class_name`` it can."""


def compile_for_each(compiler: Compiler, item: Item, id_: str, board: Board) -> list[Node]:
    """The node, its body compiled on a board of its own; what the file says wrong is noted."""
    problems, variables = compiler.problems, compiler.variables
    for key, _ in item.params:
        help_ = did_you_mean(key.text, item.keys) or "keys: id, in, as, pad, when, every, until, set, stages"
        problems.add("VK111", f"for_each.{key.text}", f"for_each has no key {key.text!r}", key, help_)
    bindings = Wirer(board, "for_each", item.node).bind(PORTS, item.keys.get("in"))
    name = _name(compiler, item)
    objects = board.slot(bindings[0].slots[0]) if bindings else None
    image = board.slot(bindings[1].slots[0]) if bindings else None
    body_board = Board(variables)
    body_board.add(name, Image, "for_each", plane=image.plane if image else "source")
    if "stages" not in item.keys:
        problems.add("VK113", "for_each.stages", "the list of stages to run on each object must be given", item.node)
    inner = replace(compiler, nested=True)
    body = (
        inner.stages(
            Mapping(((Scalar("stages", "stages", item.node.position), item.keys["stages"]),), item.node.position),
            body_board,
        )
        if "stages" in item.keys
        else []
    )
    tracked = objects is not None and "track_id" in objects.columns
    setters, added = _setters(compiler, item, body_board)
    columns = dict(objects.columns) if objects else {}
    own = record_of(Detections, {**columns, **added})
    scope = {**scope_of(board.values), name: own}
    when = compile_condition(item.keys.get("when"), "for_each.when", scope, board.values, variables, per_row=True)
    until = compile_condition(item.keys.get("until"), "for_each.until", scope, board.values, variables, per_row=True)
    every = _cadence(compiler, item, tracked)
    if compiler.nested and every is not None:
        problems.add("VK117", "for_each.every", "a nested for_each has no cadence of its own", item.keys["every"])
    asks = _asks(name, set(added), when, until)
    if (until or asks) and objects is not None and not tracked:
        asking = "until" if until else "when"
        asked = ", ".join(sorted(asks)) or "until"
        message = f"asks what earlier frames found ({asked}), but nothing says which objects are the same ones"
        problems.add(
            "VK117", f"for_each.{asking}", message, item.keys[asking], "put a tracker before it: - track.bytetrack"
        )
    if bindings is None or objects is None or image is None:
        board.add(id_, Detections, id_, added)
        return []
    board.hide_consumed(Detections, [objects])
    output = board.add(id_, Detections, id_, {**columns, **added}, objects.plane)
    exports = _export(board, body_board, id_, objects.plane)
    node = ForEachNode(
        id_,
        objects.slot,
        image.slot,
        output.slot,
        name,
        _pad(compiler, item),
        Scope(tuple(body), tuple(body_board.values), len(body_board.values)),
        when,
        until,
        every,
        setters,
        exports,
        tracked,
        _lag(every) if asks else None,
        read_on_error(item, variables),
        item.node.position,
    )
    return [node]


def _name(compiler: Compiler, item: Item) -> str:
    node = item.keys.get("as")
    if node is None:
        return "object"
    name = compiler.variables.text(node, "for_each.as") if isinstance(node, Scalar) else ""
    if problem := misnamed(name):
        compiler.problems.add("VK109", "for_each.as", f"a name {problem}, got {name!r}", node)
        return "object"
    return name


def _pad(compiler: Compiler, item: Item) -> float:
    node = item.keys.get("pad")
    value = compiler.variables.plain(node, "for_each.pad") if node is not None else 0.0
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -0.4 <= value <= 2.0:
        assert node is not None
        compiler.problems.add(
            "VK112", "for_each.pad", f"must be a share of the box from -0.4 to 2, got {value!r}", node
        )
        return 0.0
    return float(value)


def _cadence(compiler: Compiler, item: Item, tracked: bool) -> Cadence | None:
    node = item.keys.get("every")
    if node is None:
        return None
    where, problems = "for_each.every", compiler.problems
    value = compiler.variables.plain(node, where)
    if isinstance(value, int) and not isinstance(value, bool):
        value = {"frames": value, **({"per": "track"} if tracked else {})}
    keys = ("frames", "seconds", "per")
    unknown = [key for key in value if key not in keys] if isinstance(value, dict) else []
    if not isinstance(value, dict) or not value or unknown:
        message = "must be a number of frames, or {frames: n} or {seconds: s}, with per: track"
        problems.add("VK117", where, message, node, did_you_mean(unknown[0], keys) if unknown else "")
        return None
    frames, seconds, per = value.get("frames"), value.get("seconds"), value.get("per")
    if (frames is None) == (seconds is None):
        problems.add("VK117", where, "needs either frames or seconds, one of the two", node)
        return None
    number: Any = frames if seconds is None else seconds
    whole = isinstance(number, int) and not isinstance(number, bool)
    if not (whole if seconds is None else whole or isinstance(number, float)) or not 0 < number <= 1_000_000:
        wanted = "whole number of frames from 1" if seconds is None else "time above 0 s"
        problems.add("VK117", where, f"must be a {wanted}, got {number!r}", node)
        return None
    if per not in (None, "track"):
        problems.add("VK117", where, f"per can only be track, got {per!r}", node)
    if per == "track" and not tracked:
        problems.add(
            "VK117", where, "per: track needs tracked objects", node, "put a tracker before it: - track.bytetrack"
        )
    exact = None if seconds is None else Fraction(str(seconds))
    return Cadence(frames, exact, per == "track")


def _lag(every: Cadence | None) -> int | Fraction:
    if every is None:
        return 1
    return every.frames if every.frames is not None else (every.seconds or Fraction(0))


def _setters(compiler: Compiler, item: Item, board: Board) -> tuple[tuple[SetColumn, ...], dict[str, Any]]:
    """The ``set`` mapping, and the columns it adds to the objects."""
    node = item.keys.get("set")
    if node is None:
        return (), {}
    if not isinstance(node, Mapping):
        compiler.problems.add("VK105", "for_each.set", "must be a mapping: column: expression", node)
        return (), {}
    scope = scope_of(board.values)
    setters: list[SetColumn] = []
    added: dict[str, Type | Record] = {}
    for key, value in node:
        where = f"for_each.set.{key.text}"
        if reason := misnamed(key.text) or ("must not be one that objects have already" if key.text in TAKEN else ""):
            compiler.problems.add("VK109", where, f"a column's name {reason}, got {key.text!r}", key, stray(key, value))
            continue
        text = read_text(value, where, compiler.variables)
        if text is None:
            continue
        try:
            setter = Setter.parse(text)
        except ExprError as error:
            compiler.problems.add_expression(where, error, value)
            continue
        if compiler.problems.misses(setter.names):
            continue
        errors = setter.check_all(scope)
        for problem in errors:
            compiler.problems.add_expression(where, problem, value)
        if errors:
            continue
        type_ = setter.type(scope)
        added[key.text] = _rowwise(type_)
        slots = slots_of(setter.argument.names, board.values)
        fields = tuple(type_.fields) if isinstance(type_, Record) else ()
        setters.append(SetColumn(key.text, setter, slots, fields))
    return tuple(setters), added


def _rowwise(type_: Type | Record) -> Type | Record:
    """The type of one reading as a column of the objects."""
    if isinstance(type_, Record):
        return Record({name: _rowwise(t) for name, t in type_.fields.items()}, noun=type_.noun)
    return Type(type_.kind, per_row=True)


def _asks(name: str, added: set[str], *conditions: Any) -> set[str]:
    """The columns made by ``set`` that the conditions ask for."""
    names = {n for c in conditions if c for n in c.expression.names}
    return {n.split(".")[1] for n in names if n.startswith(f"{name}.") and n.split(".")[1] in added}


def _export(board: Board, body: Board, id_: str, plane: str) -> tuple[tuple[int, int], ...]:
    """Objects and text found in the body, joined per packet and lifted: reachable as ``<for_each id>.<inner id>``."""
    pairs = []
    for value in list(body.values):
        if issubclass(value.type, EXPORTED):
            outer = board.add(f"{id_}.{value.id}", value.type, id_, value.columns, plane)
            board.hidden.add(outer.slot)
            pairs.append((outer.slot, value.slot))
    return tuple(pairs)
