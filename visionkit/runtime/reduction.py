"""Which pictures may be decoded at reduced scale, because the plan shrinks them before anything looks at them."""

from __future__ import annotations

from collections.abc import Callable

from visionkit.pipeline.plan import SOURCE, Plan, StageNode
from visionkit.stage.base import MapStage

Reduction = Callable[[int, int], int]
"""Width and height of a picture → 1, 2, 4 or 8: by how much both may be divided."""


def reduction(plan: Plan) -> Reduction | None:
    """How far sources may be reduced for this plan; None where something needs the whole frame.

    Every reader of the source has to be a stage that shrinks it, whatever happens; outputs that look at the frame
    itself (``coco``, ``crops``) need all of it.
    """
    readers = [node for node in plan.root.nodes if SOURCE in node.reads()]
    whole = any(output.sink.takes == "frames" or output.values.get("picture") == SOURCE for output in plan.outputs)
    if whole or not readers or not all(_shrinks(node) for node in readers):
        return None

    def factor(width: int, height: int) -> int:
        sizes = [node.stage.needs(node.params, width, height) for node in readers]  # type: ignore[union-attr]
        if None in sizes:
            return 1
        fits = (n for n in (8, 4, 2) if all(width >= w * n and height >= h * n for w, h in sizes))
        return next(fits, 1)

    return factor


def _shrinks(node: object) -> bool:
    if not isinstance(node, StageNode) or not issubclass(node.stage, MapStage) or node.when is not None:
        return False
    return node.stage.needs.__func__ is not MapStage.needs.__func__  # type: ignore[attr-defined]
