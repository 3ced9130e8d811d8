"""``outputs:`` and ``run:``: where results go, and settings that change speed only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from visionkit.data import Annotated, Image
from visionkit.errors import did_you_mean
from visionkit.pipeline.conditions import compile_condition, scope_of
from visionkit.pipeline.document import Listing, Mapping, Node, Scalar
from visionkit.pipeline.items import OUTPUT_KEYS, Item, read_flag, read_id, read_items
from visionkit.pipeline.networks import Backend, Precision
from visionkit.pipeline.options import LiveOutput
from visionkit.pipeline.parameters import validate
from visionkit.pipeline.plan import SOURCE, OutputNode, Value
from visionkit.pipeline.variables import Variables
from visionkit.pipeline.wiring import Board, Wirer
from visionkit.stage.catalogue import sinks as sink_catalogue
from visionkit.stage.params import DeviceName
from visionkit.stage.ports import InputPort

PICTURE = InputPort("picture", (Annotated, Image))


class RunSettings(BaseModel):
    """The ``run:`` section: settings that change speed, never results; and how often each input is run."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    batch: int | None = Field(None, ge=1, le=1024, description="Largest batch a network gets.")
    workers: int | None = Field(None, ge=1, le=256, description="Threads for stages that may run in parallel.")
    device: DeviceName | None = Field(None, description="auto, cpu, cuda, cuda:0, mps.")
    backend: Backend | None = Field(
        None,
        description="What runs networks: auto, the fastest that `visionkit tune` measured on this machine; own, what "
        "the weights come for; or one by name, where it can run them.",
    )
    precision: Precision | None = Field(None, description="Numbers networks use.")
    decoder: Literal["auto", "cpu", "nvdec"] | None = Field(
        None, description="Of video files: nvdec is an NVIDIA GPU's own; auto is the CPU."
    )
    decoder_threads: int | None = Field(
        None, ge=0, le=64, description="Threads of each video's decoder; 0: its own choice."
    )
    seed: int | None = Field(None, ge=0, description="Seed of everything random.")
    variants: int | None = Field(
        None, ge=1, le=10_000, description="Run each file so many times: augment.* makes another picture each time."
    )


def read_run(node: Node | None, variables: Variables) -> dict[str, Any]:
    """The ``run:`` section as settings."""
    if node is None:
        return {}
    if not isinstance(node, Mapping):
        variables.problems.add("VK105", "run", "must be a mapping of settings", node)
        return {}
    settings = validate(RunSettings, node, "run", variables)
    return settings.model_dump(exclude_none=True) if settings else {}


def compile_outputs(
    root: Mapping, board: Board, variables: Variables, live: LiveOutput = "file"
) -> tuple[OutputNode, ...]:
    """The outputs of a file; without ``outputs:`` they are ``media`` and ``jsonl``. ``live``: see CompileOptions."""
    node = root.get("outputs")
    if node is None or (isinstance(node, Scalar) and node.value is None and root.key("outputs") is None):
        node = _named("media", "jsonl", at=root)
    if live != "file" and isinstance(node, Listing):
        own = tuple(item for item in node.items if _name(item) == "live") or _named("live", at=root).items
        node = Listing(own if live == "only" else (*(i for i in node.items if i not in own), *own), node.position)
    outputs = []
    taken: set[str] = set()
    for item in read_items(node, "outputs", variables, {"": OUTPUT_KEYS}):
        if read_flag(item, "enabled", variables):
            output = _output(item, read_id(item, taken, variables), board, variables)
            taken.add(item.name)
            outputs += [output] if output else []
    _refuse_shared_paths(outputs, variables)
    return tuple(outputs)


def _refuse_shared_paths(outputs: Sequence[OutputNode], variables: Variables) -> None:
    owners: dict[str, str] = {}
    for output in outputs:
        path = getattr(output.params, "path", None)
        if (
            path is None
            or output.position is None
            or (other := owners.setdefault(str(path.text), output.id)) == output.id
        ):
            continue
        message = f"the outputs {other!r} and {output.id!r} have the same path {path.text!r}"
        variables.problems.add("VK112", output.name, message, output.position, "give one of them another path")


def _named(*names: str, at: Node) -> Listing:
    return Listing(tuple(Scalar(name, name, at.position) for name in names), at.position)


def _name(item: Node) -> str:
    key = item.items[0][0] if isinstance(item, Mapping) and item.items else item
    return key.text if isinstance(key, Scalar) else ""


def _output(item: Item, id_: str, board: Board, variables: Variables) -> OutputNode | None:
    catalogue = sink_catalogue()
    if item.name not in catalogue:
        help_ = did_you_mean(item.name, catalogue.names()) or f"outputs there are: {', '.join(catalogue.names())}"
        variables.problems.add("VK110", item.name, f"there is no output {item.name!r}", item.node, help_)
        return None
    sink = catalogue.get(item.name)
    params = validate(sink.Params, item.params, item.name, variables)
    when = compile_condition(
        item.keys.get("when"), f"{item.name}.when", scope_of(board.values), board.values, variables
    )
    wirer = Wirer(board, item.name, item.node)
    values = _picture(wirer, item) if sink.takes == "picture" else _results(wirer, item, sink.takes)
    if params is None or values is None:
        return None
    if sink.takes == "frames":
        values = {"source": SOURCE} | values
    return OutputNode(id_, item.name, sink, params, values, when, item.node.position)


def _picture(wirer: Wirer, item: Item) -> dict[str, int] | None:
    bindings = wirer.bind((PICTURE,), item.keys.get("in"))
    return {"picture": bindings[0].slots[0], "source": SOURCE} if bindings else None


def _results(wirer: Wirer, item: Item, takes: str) -> dict[str, int] | None:
    """The values named by ``in:``; otherwise all results that no later stage replaced.

    For an output that "takes" frames a picture among them stands in the place of the frame; alone, with all results.
    """
    node = item.keys.get("in")
    everything = {v.id: v.slot for v in wirer.board.values if _is_result(v) and v.slot not in wirer.board.hidden}
    if node is None:
        return everything
    found = [(wirer._value(child), child) for child in (node.items if isinstance(node, Listing) else (node,))]
    pictures = [(value, child) for value, child in found if value is not None and not _is_result(value)]
    for value, child in pictures[1:] if takes == "frames" else pictures:
        what = "one picture is enough" if takes == "frames" else "a table takes results"
        wirer.problems.add("VK204", item.name, f"{value.id!r} is a picture; {what}", child)
    named = {v.id if _is_result(v) else "source": v.slot for v, _ in found if v is not None}
    return everything | named if set(named) == {"source"} else named


def _is_result(value: Value) -> bool:
    return not issubclass(value.type, Image)
