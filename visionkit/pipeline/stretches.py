"""Which stages share a worker: neighbours of one kind, except batch stages, which have one each."""

from __future__ import annotations

from visionkit.frozen import Frozen
from visionkit.pipeline.plan import ForEachNode, Node, StageNode


class Stretch(Frozen):
    """Nodes that one segment runs: fused map stages, fused scans, or one batch stage."""

    kind: str
    nodes: tuple[StageNode, ...]
    depth: int = 0


class Nest(Frozen):
    """A ``for_each`` and the stretches of its body."""

    node: ForEachNode
    body: tuple[Stretch | Nest, ...]
    depth: int = 0


def stretches(nodes: tuple[Node, ...], depth: int = 0) -> tuple[Stretch | Nest, ...]:
    """Groups neighbours that may share a worker: map stages with map stages, scans with scans."""
    found: list[Stretch | Nest] = []
    for node in nodes:
        if isinstance(node, ForEachNode):
            found.append(Nest(node, stretches(node.body.nodes, depth + 1), depth))
            continue
        last = found[-1] if found else None
        if isinstance(last, Stretch) and last.kind == node.kind and node.kind != "batch":
            found[-1] = Stretch(last.kind, (*last.nodes, node), depth)
        else:
            found.append(Stretch(node.kind, (node,), depth))
    return tuple(found)
