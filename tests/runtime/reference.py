"""A plan run the slow, obvious way: one packet after the other, one stage after the other."""

from __future__ import annotations

from typing import Any

from tests.runtime.toys import ToySource
from visionkit.data import ABSENT, Failure, Image, Key
from visionkit.pipeline.plan import Plan, StageNode
from visionkit.runtime.context import Context
from visionkit.runtime.steps import holds
from visionkit.runtime.token import Lane, Token

Row = tuple[Key, dict[str, Any], bool]


def run_serially(plan: Plan, source: ToySource) -> list[Row]:
    """What must come out, for each packet: key, plain values by id, whether it failed."""
    stages = {node.id: node.stage(node.params) for node in plan.root.nodes if isinstance(node, StageNode)}
    for id_, stage in stages.items():
        stage.open(Context(id_, None, 0, print))
    rows = []
    last = None
    for seq, frame in enumerate(source.frames()):
        if last is not None and frame.info is not last:
            for stage in stages.values():
                if hasattr(stage, "reset"):
                    stage.reset()
        last = frame.info
        token = Token(Lane(0, ""), seq, Key(frame.info.name, 0, frame.index), frame.info, plan.root.size, ABSENT)
        token.pts = frame.pts
        token.values[0] = frame.load()
        for node in plan.root.nodes:
            if token.failure is None:
                _run(node, stages[node.id], token)
        values = {v.id: plain(token.values[v.slot]) for v in plan.root.values}
        rows.append((token.key, {} if token.failure else values, token.failure is not None))
    return rows


def _run(node: StageNode, stage: Any, token: Token) -> None:
    values = token.values
    arguments = []
    runs = node.when is None or holds(node.when, token)
    for binding in node.bindings:
        value = values[binding.slots[0]] if binding.slots else ABSENT
        if value is ABSENT and not binding.optional:
            runs = False
        arguments.append(None if value is ABSENT else value)
    if not runs:
        values[node.outputs[0]] = ABSENT if node.bypass is None else values[node.bypass]
        return
    try:
        if node.kind == "batch":
            values[node.outputs[0]] = stage.run(*[[a] for a in arguments])[0]
        else:
            values[node.outputs[0]] = stage.run(*arguments)
    except Exception as error:
        token.failure = Failure(node.id, "", str(error))


def plain(value: Any) -> Any:
    """A value as something that can be compared."""
    if value is ABSENT:
        return "absent"
    if isinstance(value, Image):
        return value.gray().tobytes()
    return getattr(value, "to_dicts", getattr(value, "to_dict", lambda: value))()
