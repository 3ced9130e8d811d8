"""``use:``: a pipeline inside a pipeline. Its stages join the plan; its exports join the values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from visionkit.data import Image
from visionkit.errors import PipelineError, did_you_mean
from visionkit.pipeline import document
from visionkit.pipeline.document import Listing, Mapping, Scalar
from visionkit.pipeline.items import Item
from visionkit.pipeline.plan import Node, Value
from visionkit.pipeline.variables import Variables
from visionkit.pipeline.wiring import Board, Wirer
from visionkit.stage.ports import InputPort

if TYPE_CHECKING:
    from visionkit.pipeline.compile import Compiler

MAX_INCLUDES = 20


def compile_use(compiler: Compiler, item: Item, id_: str, board: Board) -> list[Node]:
    """The included file's nodes, on this plan's slots; its exports are put on ``board``."""
    from visionkit.pipeline.compile import check_top

    for key, _ in item.params:
        compiler.problems.add(
            "VK111", f"use.{key.text}", f"use has no key {key.text!r}", key, "keys: file, vars, in, id"
        )
    root, path = _read(compiler, item)
    if root is None:
        return []
    check_top(root, compiler.problems)
    bindings = Wirer(board, "use", item.node).bind((InputPort("image", (Image,)),), item.keys.get("in"))
    if bindings is None:
        return []
    picture = board.slot(bindings[0].slots[0])
    given = item.keys.get("vars")
    overrides = compiler.variables.plain(given, "use.vars") if isinstance(given, Mapping) else {}
    variables = Variables.gather(root.get("vars"), overrides, compiler.problems)
    inner = replace(compiler, variables=variables, folder=path.parent, includes=(*compiler.includes, str(path)))
    inside = Board(variables, board.counter, [replace(picture, id="source")])
    nodes = [_renamed(node, id_) for node in inner.stages(root, inside)]
    compiler.weights.update(inner.weights)
    exports = _exports(inner, root, inside, item)
    exported = {value.slot for value in exports}
    consumed = [picture] if any(issubclass(v.type, Image) for v in exports) else []
    for value in exports:
        board.hide_consumed(value.type, consumed)
    for value in inside.values[1:]:
        if value.slot in exported:
            name = id_ if len(exports) == 1 else f"{id_}_{value.id}"
        else:
            name = f"{id_}.{value.id}"
            board.hidden.add(value.slot)
        board.values.append(replace(value, id=name))
    return nodes


def _renamed(node: Node, prefix: str) -> Node:
    return replace(node, id=f"{prefix}.{node.id}")


def _read(compiler: Compiler, item: Item) -> tuple[Mapping | None, Path]:
    problems = compiler.problems
    node = item.keys.get("file")
    if not isinstance(node, Scalar) or node.value is None:
        problems.add(
            "VK113", "use.file", "the pipeline file to use must be given", item.node, "- use: {file: plates.yaml}"
        )
        return None, Path()
    path = compiler.folder / compiler.variables.text(node, "use.file")
    if (
        str(path) in compiler.includes
        or len(compiler.includes) > MAX_INCLUDES
        or path.resolve() == Path(node.position.file).resolve()
    ):
        chain = " → ".join([*(Path(p).name for p in compiler.includes), path.name])
        problems.add("VK116", "use.file", f"includes itself: {chain}", node)
        return None, path
    from visionkit.pipeline.compile import read_text

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


def _exports(inner: Compiler, root: Mapping, inside: Board, item: Item) -> list[Value]:
    node = root.get("exports")
    items = node.items if isinstance(node, Listing) else (node,) if node is not None else ()
    if not items:
        help_ = "add to that file: exports: [<id>]"
        inner.problems.add("VK116", "use", "the included file does not say what it exports", item.node, help_)
    found = []
    for child in items:
        name = child.text if isinstance(child, Scalar) else ""
        value = inside.find(name)
        if value is None:
            known = [v.id for v in inside.values]
            help_ = did_you_mean(name, known) or f"ids in that file: {', '.join(known)}"
            inner.problems.add("VK203", "exports", f"nothing in this file has the id {name!r}", child, help_)
        else:
            found.append(value)
    return found
