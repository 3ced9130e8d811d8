"""``use:``: a pipeline inside a pipeline. Its stages join the plan; its exports join the values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.data import Image
from visionkit.errors import PipelineError, did_you_mean
from visionkit.pipeline import document
from visionkit.pipeline.document import Listing, Mapping, Scalar
from visionkit.pipeline.items import USE_KEYS, Item
from visionkit.pipeline.plan import Node, Value
from visionkit.pipeline.problems import Problems
from visionkit.pipeline.variables import Variables
from visionkit.pipeline.wiring import Board, Wirer
from visionkit.stage.ports import InputPort

if TYPE_CHECKING:
    from visionkit.pipeline.compile import Compiler

MAX_DEPTH = 10
MAX_INCLUDES = 100


def compile_use(compiler: Compiler, item: Item, id_: str, board: Board) -> list[Node]:
    """The included file's nodes, on this plan's slots; its exports are put on ``board``."""
    from visionkit.pipeline.compile import check_top

    _check_keys(compiler, item)
    root, path = _read(compiler, item)
    if root is None:
        compiler.problems.lost.add(id_)
        return []
    check_top(root, compiler.problems)
    bindings = Wirer(board, "use", item.node).bind((InputPort("image", (Image,)),), item.keys.get("in"))
    picture = board.slot(bindings[0].slots[0]) if bindings else board.values[0]
    variables = Variables.gather(root.get("vars"), _overrides(compiler, item, root), compiler.problems, root)
    inner = replace(compiler, variables=variables, folder=path.parent, includes=(*compiler.includes, path))
    inside = Board(variables, board.counter, [replace(picture, id="source")])
    nodes: list[Node] = [replace(node, id=f"{id_}.{node.id}") for node in inner.stages(root, inside)]
    exports = _exports(inner, root, inside, item)
    consumed = [picture] if any(issubclass(value.type, Image) for value in exports) else []
    for value in exports:
        board.hide_consumed(value.type, consumed)
    names = {v.slot: id_ if len(exports) == 1 else f"{id_}_{v.id}" for v in exports}
    _check_names(compiler, item, board, set(names.values()) - {id_})
    for value in inside.values[1:]:
        if value.slot not in names:
            board.hidden.add(value.slot)
        plane = value.plane if value.plane == picture.plane else f"{id_}.{value.plane}"
        name = names.get(value.slot, f"{id_}.{value.id}")
        board.values.append(replace(value, id=name, producer=f"{id_}.{value.producer}", plane=plane))
    return nodes


def _check_keys(compiler: Compiler, item: Item) -> None:
    for key, _ in item.params:
        help_ = did_you_mean(key.text, USE_KEYS) or f"keys: {', '.join(USE_KEYS)}"
        if key.text in ("when", "on_error"):
            help_ = f"write {key.text}: on the stages inside; a variable can carry it there"
        compiler.problems.add("VK111", f"use.{key.text}", f"use has no key {key.text!r}", key, help_)


def _check_names(compiler: Compiler, item: Item, board: Board, names: set[str]) -> None:
    for name in sorted(names & {value.id for value in board.values}):
        message = f"would call what the file exports {name!r}, but an earlier stage has that id"
        compiler.problems.add("VK109", "use", message, item.node, "give this use another id:")


def _overrides(compiler: Compiler, item: Item, root: Mapping) -> dict[str, Any]:
    """The values of ``vars:``; each must be a variable of the included file."""
    given, declared = item.keys.get("vars"), root.get("vars")
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        compiler.problems.add("VK105", "use.vars", "must be a mapping of names to values", given)
        return {}
    known = [key.text for key, _ in declared] if isinstance(declared, Mapping) else []
    values = {}
    for key, value in given:
        if key.text in known:
            values[key.text] = compiler.variables.plain(value, f"use.vars.{key.text}")
        else:
            help_ = did_you_mean(key.text, known) or f"its vars: {', '.join(known) or 'none'}"
            message = f"the included file has no variable {key.text!r}"
            compiler.problems.add("VK107", f"use.vars.{key.text}", message, key, help_)
    return values


def _read(compiler: Compiler, item: Item) -> tuple[Mapping | None, Path]:
    """The included file and where it is; None after problems were noted."""
    from visionkit.pipeline.compile import read_text

    problems, node = compiler.problems, item.keys.get("file")
    if not isinstance(node, Scalar) or node.value is None:
        help_ = "- use: {file: plates.yaml}"
        problems.add("VK113", "use.file", "the pipeline file to use must be given", node or item.node, help_)
        return None, Path()
    path = compiler.folder / compiler.variables.text(node, "use.file")
    if reason := _refused(compiler, path):
        problems.add("VK116", "use.file", reason, node)
        return None, path
    try:
        root = document.parse(read_text(path, node.position), str(path))
    except PipelineError as error:
        for problem in error.problems:
            code = "VK116" if problem.code == "VK100" else problem.code
            problems.add(code, problem.where, problem.message, problem.position or node.position, problem.help)
        return None, path
    if not isinstance(root, Mapping):
        problems.add("VK116", "use.file", f"{path} is not a pipeline", node)
        return None, path
    return root, path


def _refused(compiler: Compiler, path: Path) -> str:
    """Why a file cannot be included here: a circle, too deep, too many; empty if it can."""
    try:
        places = [known.resolve() for known in compiler.includes]
        place = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:
        return f"is no path: {error}"
    if place in places:
        names = [known.name for known in compiler.includes[places.index(place) :]]
        return f"includes itself: {' → '.join([*names, path.name])}"
    if len(places) > MAX_DEPTH:
        return f"includes go deeper than {MAX_DEPTH} files"
    compiler.opened.append(place)
    return f"more than {MAX_INCLUDES} included files" if len(compiler.opened) > MAX_INCLUDES else ""


def _exports(inner: Compiler, root: Mapping, inside: Board, item: Item) -> list[Value]:
    """The values that the included file gives away."""
    if root.get("exports") is None:
        help_ = "add to that file: exports: [<id>]"
        inner.problems.add("VK116", "use", "the included file does not say what it exports", item.node, help_)
    return read_exports(root, inside, inner.problems)


def read_exports(root: Mapping, board: Board, problems: Problems) -> list[Value]:
    """The values that ``exports:`` names."""
    node = root.get("exports")
    if node is None:
        return []
    items = node.items if isinstance(node, Listing) else (node,)
    found: dict[int, Value] = {}
    known = [value.id for value in board.values[1:]]
    for child in items:
        name = child.text if isinstance(child, Scalar) else ""
        value = board.find(name)
        if value is None or name == "source":
            help_ = did_you_mean(name, known) or f"ids in this file: {', '.join(known) or 'none'}"
            problems.add("VK203", "exports", f"nothing in this file has the id {name!r}", child, help_)
        else:
            found[value.slot] = value
    return list(found.values())
