"""What the parameters of a stage speak of: files, weights, class names, values in expressions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.data import Detections
from visionkit.errors import VisionkitError, did_you_mean
from visionkit.expr import Expression, Record, Template
from visionkit.pipeline.document import Scalar
from visionkit.pipeline.items import Item
from visionkit.pipeline.plan import Binding
from visionkit.pipeline.wiring import Board
from visionkit.stage.base import Stage, StageParams
from visionkit.stage.fields import record_of
from visionkit.stage.params import file_fields, weights_fields

if TYPE_CHECKING:
    from visionkit.pipeline.compile import Compiler


def settled(compiler: Compiler, model: type[StageParams], item: Item, params: Any) -> Any:
    """The parameters with paths of files and weights in full; weights are looked up also where params is None."""
    changed: dict[str, Any] = {}
    for name in file_fields(model) if params is not None else ():
        given = getattr(params, name)
        if given is not None and _there(compiler.folder / given):
            changed[name] = (compiler.folder / given).absolute()
            compiler.entries.given(changed[name])
        elif given is not None and not _there(given) and compiler.options.check_weights:
            _missing(compiler, item, name, given)
    for name in weights_fields(model) if compiler.options.check_weights else ():
        node = item.params.get(name)
        weight = getattr(params, name) if params is not None else node.value if isinstance(node, Scalar) else None
        if not isinstance(weight, str) or weight.startswith("$"):
            continue
        try:
            changed[name] = compiler.entries.use(weight, compiler.folder)
        except VisionkitError as error:
            compiler.problems.add("VK114", f"{item.name}.{name}", error.message, node or item.params, error.help)
    return params.model_copy(update=changed) if params is not None and changed else params


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _missing(compiler: Compiler, item: Item, name: str, given: Path) -> None:
    names: list[str] = []
    with suppress(OSError, ValueError):
        names = [path.name for path in (compiler.folder / given).parent.iterdir()]
    message = f"there is no file or folder {str(given)!r}"
    help_ = did_you_mean(given.name, names) or f"a relative path is looked for in {compiler.folder.absolute()}"
    compiler.problems.add("VK112", f"{item.name}.{name}", message, item.params.get(name) or item.params, help_)


def check_expressions(compiler: Compiler, params: StageParams, item: Item, scope: dict[str, Any]) -> None:
    """Expressions and templates among the parameters."""
    for name in type(params).model_fields:
        value = getattr(params, name)
        if isinstance(value, (Expression, Template)):
            node = item.params.get(name) or item.params
            for error in value.check_all(scope):
                compiler.problems.add_expression(f"{item.name}.{name}", error, node)


def check_stage(compiler: Compiler, stage: type[Stage[Any]], params: Any, item: Item) -> None:
    """The stage's own check: whether the weights are of its task, the class names theirs."""
    if compiler.options.check_weights and stage.check.__func__ is not Stage.check.__func__:  # type: ignore[attr-defined]
        for name, message, help_ in stage.check(params, compiler.entries):
            compiler.problems.add("VK114", f"{item.name}.{name}", message, item.params.get(name) or item.params, help_)


def parameter_scope(bindings: tuple[Binding, ...], board: Board) -> dict[str, Any]:
    """Names for expressions among a stage's parameters: its ports, and the columns of its first detections."""
    scope: dict[str, Any] = {}
    columns: dict[str, Any] | None = None
    for binding in bindings:
        for slot in binding.slots[:1]:
            value = board.slot(slot)
            record = record_of(value.type, value.columns)
            scope[binding.port] = record
            if issubclass(value.type, Detections) and columns is None:
                columns = {n: replace(c, column=True) if isinstance(c, Record) else c for n, c in record.fields.items()}
    return {**(columns or {}), **scope}
