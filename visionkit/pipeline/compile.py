"""A pipeline file → a frozen :class:`Plan`, with every problem of the file found in one go.

Nothing is loaded, opened or downloaded here, and neither torch nor OpenCV is imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visionkit.data import Annotated, Detections, Image
from visionkit.errors import PipelineError, Position, Problem, did_you_mean
from visionkit.pipeline import document
from visionkit.pipeline.arguments import check_expressions, check_stage, parameter_scope, settled
from visionkit.pipeline.conditions import compile_condition, scope_of
from visionkit.pipeline.document import Mapping
from visionkit.pipeline.entries import Entries
from visionkit.pipeline.items import (
    FOR_EACH_KEYS,
    STAGE_KEYS,
    USE_KEYS,
    Item,
    read_flag,
    read_id,
    read_items,
    read_on_error,
)
from visionkit.pipeline.options import CompileOptions
from visionkit.pipeline.parameters import validated
from visionkit.pipeline.plan import Binding, Condition, Plan, Scope, StageNode, Value
from visionkit.pipeline.plan import Node as PlanNode
from visionkit.pipeline.problems import Problems
from visionkit.pipeline.variables import Variables
from visionkit.pipeline.wiring import Board, Wirer
from visionkit.stage.base import ScanStage, Stage, StageParams
from visionkit.stage.catalogue import stages as stage_catalogue
from visionkit.stage.ports import Ports, ports_of

VERSION = 1
TOP_KEYS = ("version", "description", "vars", "stages", "outputs", "exports", "run")
_KEYS_OF = {"": STAGE_KEYS, "for_each": FOR_EACH_KEYS, "use": USE_KEYS}


def compile_file(path: str | Path, options: CompileOptions | None = None) -> Plan:
    """The plan of a pipeline file.

    Raises:
        PipelineError: everything wrong in the file, with positions.
    """
    return compile_text(read_text(path), str(path), options)


def read_text(path: str | Path, at: Position | None = None) -> str:
    """The text of a pipeline file, bounded; ``at`` is where another file includes it: then it is no device or pipe."""
    try:
        if at is not None and Path(path).exists() and not Path(path).is_file():
            raise ValueError("it is no file")
        with Path(path).open("rb") as file:
            data = file.read(document.MAX_BYTES + 1)
        return data.decode("utf-8-sig", "ignore" if len(data) > document.MAX_BYTES else "strict")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        problem = Problem("VK100", str(path), f"cannot be read: {reason}", "", at or Position(str(path), 1, 1))
        raise PipelineError([problem]) from None


def compile_text(text: str, file: str = "<text>", options: CompileOptions | None = None) -> Plan:
    """The plan of a pipeline written as YAML; ``file`` is what messages call it.

    Raises:
        PipelineError: everything wrong in the text, with positions.
    """
    root = document.parse(text, file)
    problems = Problems()
    if not isinstance(root, Mapping):
        problems.add("VK105", "file", "a pipeline is a mapping with a list of stages", root, "stages:\n  - detect")
        problems.raise_if_any()
        raise AssertionError("unreachable")
    check_top(root, problems)
    if isinstance(listed := root.get("stages"), document.Listing) and not listed.items:
        problems.add("VK105", "stages", "a pipeline has at least one stage", listed, "stages:\n  - detect")
    options = options or CompileOptions()
    variables = Variables.gather(root.get("vars"), options.variables, problems, root)
    compiler = Compiler(options, variables, Path(file).parent, includes=(Path(file),))
    board = Board(variables)
    board.add("source", Image, "source")
    nodes = compiler.stages(root, board)
    from visionkit.pipeline.outputs import compile_outputs, read_run
    from visionkit.pipeline.use import read_exports

    read_exports(root, board, problems)
    outputs = compile_outputs(root, board, variables, options.live)
    run = read_run(root.get("run"), variables)
    variants = run.pop("variants", None)
    problems.raise_if_any()
    description = root.get("description")
    scope = Scope(tuple(nodes), tuple(board.values), len(board.values))
    return Plan(
        file,
        str(description.text if isinstance(description, document.Scalar) else ""),
        scope,
        outputs,
        variables.values,
        compiler.entries.used,
        run,
        variants,
    )


def check_top(root: Mapping, problems: Problems) -> None:
    """The keys of the file and the version it asks for."""
    for key, _ in root:
        if key.text not in TOP_KEYS:
            help_ = did_you_mean(key.text, TOP_KEYS) or f"keys of a pipeline file: {', '.join(TOP_KEYS)}"
            problems.add("VK104", key.text, f"a pipeline file has no key {key.text!r}", key, help_)
    version = root.get("version")
    if version is not None and getattr(version, "value", None) != VERSION:
        got = getattr(version, "text", "a list or mapping")
        problems.add("VK106", "version", f"this visionkit speaks version {VERSION}, got {got}", version)
    if root.get("stages") is None:
        problems.add("VK105", "stages", "a pipeline has a list of stages", root, "stages:\n  - detect")


@dataclass
class Compiler:
    """Compiles lists of stages; nested lists and includes come back to it.

    Attributes:
        folder: what relative paths in the file are relative to.
        entries: the weights catalogue.
        includes: the file and those that include it, outermost first.
        opened: every file that was included so far, by whichever of them.
        nested: the list stands inside ``for_each``.
    """

    options: CompileOptions
    variables: Variables
    folder: Path
    entries: Entries = field(default_factory=Entries)
    includes: tuple[Path, ...] = ()
    opened: list[Path] = field(default_factory=list)
    nested: bool = False

    @property
    def problems(self) -> Problems:
        return self.variables.problems

    def stages(self, owner: Mapping, board: Board) -> list[PlanNode]:
        """The nodes of ``owner``'s list ``stages``; their values are put on ``board``."""
        nodes: list[PlanNode] = []
        for item in read_items(owner.get("stages"), "stages", self.variables, _KEYS_OF):
            nodes += self._item(item, board)
        return nodes

    def _item(self, item: Item, board: Board) -> list[PlanNode]:
        taken = board.names()
        if not read_flag(item, "enabled", self.variables):
            self.problems.off.add(read_id(item, taken, self.variables))
            return []
        if item.name == "for_each":
            from visionkit.pipeline.foreach import compile_for_each

            return compile_for_each(self, item, read_id(item, taken, self.variables), board)
        if item.name == "use":
            from visionkit.pipeline.use import compile_use

            return compile_use(self, item, read_id(item, taken, self.variables), board)
        return self._stage(item, read_id(item, taken, self.variables), board)

    def _stage(self, item: Item, id_: str, board: Board) -> list[PlanNode]:
        stage = self._class(item)
        if stage is None:
            self.problems.lost.add(id_)
            return []
        if self.nested and issubclass(stage, ScanStage):
            help_ = "put it before for_each; what lives with a track is written with set:"
            self.problems.add(
                "VK207", item.name, "remembers from frame to frame, so it cannot run on crops", item.node, help_
            )
        ports = ports_of(stage)
        params, right = validated(stage.Params, item.params, item.name, self.variables)
        params = settled(self, stage.Params, item, params)
        wirer = Wirer(board, item.name, item.node)
        bindings = wirer.bind(ports.inputs, item.keys.get("in"))
        when = self._when(item, board)
        on_error = read_on_error(item, self.variables)
        if right is not None and bindings is not None:
            check_expressions(self, right, item, parameter_scope(bindings, board))
        if params is not None:
            check_stage(self, stage, params, item)
        outputs = self._outputs(id_, stage, ports, bindings, params, board, item)
        if params is None or bindings is None:
            return []
        slots = tuple(value.slot for value in outputs)
        names = tuple(port.name for port in ports.outputs)
        bypass = _bypass(ports, bindings)
        node = StageNode(
            id_,
            item.name,
            stage,
            params,
            bindings,
            slots,
            names,
            when,
            on_error,
            bypass,
            item.node.position,
        )
        return [node]

    def _when(self, item: Item, board: Board) -> Condition | None:
        node = item.keys.get("when")
        if node is None:
            return None
        return compile_condition(node, f"{item.name}.when", scope_of(board.values), board.values, self.variables)

    def _class(self, item: Item) -> type[Stage[Any]] | None:
        if item.name == "python":
            from visionkit.pipeline.code import python_stage

            return python_stage(self, item)
        catalogue = stage_catalogue()
        if item.name not in catalogue:
            known = [*catalogue.names(), "for_each", "use", "python"]
            help_ = did_you_mean(item.name, known) or "visionkit stages lists all of them"
            self.problems.add("VK110", item.name, f"there is no stage {item.name!r}", item.node, help_)
            return None
        try:
            return catalogue.get(item.name)
        except (ImportError, AttributeError) as error:
            self.problems.add("VK110", item.name, f"cannot be imported: {error}", item.node)
            return None

    def _outputs(
        self,
        id_: str,
        stage: type[Stage[Any]],
        ports: Ports,
        bindings: tuple[Binding, ...] | None,
        params: StageParams | None,
        board: Board,
        item: Item,
    ) -> list[Value]:
        if bindings is None:  # its inputs are wrong, which was said: assume a chain, so that no further error follows
            for port in ports.outputs:
                board.hide_consumed(port.type, board.unhidden(port.type))
        consumed = [board.slot(slot) for binding in bindings or () for slot in binding.slots]
        planes = list(dict.fromkeys(v.plane for v in consumed)) or ["source"]
        if len(planes) > 1 and not stage.detaches:
            other = next(v.id for v in consumed if v.plane != planes[0])
            message = f"{consumed[0].id!r} and {other!r} lie on planes with no map between them"
            left = ", ".join(p for p in planes if p != "source")
            help_ = f"a stage left the frame: {left}; draw before it, or name another picture with in:"
            self.problems.add("VK206", item.name, message, item.node, help_)
        untracked = [v for v in consumed if issubclass(v.type, Detections) and "track_id" not in v.columns]
        if stage.needs_tracks and untracked:
            message = f"needs tracked objects, but those of {untracked[0].id!r} have no identity from frame to frame"
            self.problems.add("VK204", item.name, message, item.node, "put a tracker before it: - track.bytetrack")
        plane = id_ if stage.detaches else planes[0]
        inherited: dict[str, Any] = {}
        for value in consumed:
            inherited |= value.columns
        made = []
        for port in ports.outputs:
            board.hide_consumed(port.type, consumed)
            keeps = any(v.type is port.type for v in consumed)
            own = stage.fields(params, port.name) if params is not None else {}
            full = {**(inherited if keeps else {}), **own}
            made.append(board.add(f"{id_}.{port.name}" if port.name else id_, port.type, id_, full, plane))
        return made


def _bypass(ports: Ports, bindings: tuple[Binding, ...]) -> int | None:
    """The picture that passes through when a picture → picture stage does not run."""
    if len(ports.outputs) != 1 or not issubclass(ports.outputs[0].type, Image):
        return None
    for port, binding in zip(ports.inputs, bindings, strict=True):
        if binding.slots and any(t in (Image, Annotated) for t in port.types):
            return binding.slots[0]
    return None


__all__ = ["CompileOptions", "compile_file", "compile_text"]
