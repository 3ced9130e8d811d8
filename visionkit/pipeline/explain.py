"""What a plan looks like to a person: a table, a Mermaid diagram, the reason of a wire."""

from __future__ import annotations

from collections.abc import Iterator

from visionkit.errors import UsageError, did_you_mean
from visionkit.frozen import Frozen
from visionkit.pipeline.plan import Cadence, ForEachNode, Plan, Scope, StageNode
from visionkit.pipeline.stretches import Nest, Stretch, stretches
from visionkit.stage.ports import noun

Row = tuple[str, str, str, str, str]


def table(plan: Plan, workers: int = 1, batch: int = 1) -> str:
    """One line a stage: id, what it is, worker, inputs, output.

    Args:
        plan: the compiled pipeline.
        workers: threads for stages that may run in parallel.
        batch: largest batch a network gets; objects, frames and sources share it.
    """
    rows: list[Row] = [("id", "stage", "runs", "takes", "gives")]
    rows += list(_rows(plan.root, "", _Workers(workers, batch).of(plan)))
    rows += [(o.id, f"output {o.name}", "in order", ", ".join(o.values), "") for o in plan.outputs]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-" * min(100, sum(widths) + 8))
    lines += ["", *notes(plan), f"plan {plan.hash}"]
    return "\n".join([plan.description, "", *lines] if plan.description else lines)


def notes(plan: Plan) -> list[str]:
    """Cadences and what they mean for throughput."""
    found = []
    for node in plan.walk():
        if not isinstance(node, ForEachNode):
            continue
        if node.every:
            found.append(f"{node.id}: every {cadence(node.every)}")
        if node.lag is not None:
            unit = "packets" if isinstance(node.lag, int) else "s"
            found.append(
                f"{node.id}: its conditions see readings from {node.lag} {unit} ago and before (D = {node.lag})"
            )
        if node.lag == 1:
            found.append(
                f"{node.id}: D = 1 lets only one packet in at a time; every: {{frames: 5}} would let five overlap"
            )
    return found


def cadence(every: Cadence) -> str:
    """A cadence in words."""
    text = f"{every.frames} frames" if every.frames is not None else f"{float(every.seconds or 0):g} s"
    return f"{text} per track" if every.per_track else text


class _Workers(Frozen):
    """Numbers the workers in the order in which packets meet them."""

    threads: int
    batch: int

    def of(self, plan: Plan) -> dict[int, str]:
        """What runs each node, by the node's identity: names may repeat in nested lists."""
        found: dict[int, str] = {}
        self._number(stretches(plan.root.nodes), 1, found)
        return found

    def _number(self, groups: tuple[Stretch | Nest, ...], worker: int, found: dict[int, str]) -> int:
        for group in groups:
            if isinstance(group, Nest):
                fold = self._number(group.body, worker + 1, found)
                found[id(group.node)] = f"workers {worker} and {fold}: gate, fold"
                worker = fold
            else:
                found |= {id(node): f"worker {worker}: {self._how(group.kind, node)}" for node in group.nodes}
            worker += 1
        return worker

    def _how(self, kind: str, node: StageNode) -> str:
        if kind == "batch" and self.batch == 1 and node.stage.side_by_side and self.threads > 1:
            return f"up to {self.threads} at a time"
        if kind == "batch":
            return f"batches up to {self.batch}" if self.batch > 1 else "one by one"
        return f"{self.threads} in parallel" if kind == "map" else "in order"


def _rows(scope: Scope, indent: str, runs: dict[int, str]) -> Iterator[Row]:
    names = {v.slot: v for v in scope.values}
    for node in scope.nodes:
        if isinstance(node, ForEachNode):
            takes = f"{names[node.objects].id}, {names[node.image].id}"
            columns = ", ".join(s.name for s in node.setters)
            gives = "objects" + (f" + {columns}" if columns else "")
            yield indent + node.id, f"for_each as {node.name}", runs[id(node)], takes, gives
            yield from _rows(node.body, indent + "  ", runs)
            continue
        takes = ", ".join(names[s].id for b in node.bindings for s in b.slots)
        when = f"  when {node.when.expression.text}" if node.when else ""
        gives = ", ".join(noun(names[s].type) for s in node.outputs)
        yield indent + node.id, node.name, runs[id(node)], takes, gives + when


def mermaid(plan: Plan) -> str:
    """The graph as a Mermaid flowchart."""
    lines = ["flowchart LR", '  source(["source"])']
    lines += list(_edges(plan.root, "", "source"))
    for output in plan.outputs:
        lines.append(f'  out_{output.id}[/"{output.name}"/]')
        producers = {v.slot: v.producer for v in plan.root.values}
        shown = {slot for name, slot in output.values.items() if name != "source"}
        lines += [f"  {_key(producers[slot])} --> out_{output.id}" for slot in sorted(shown)]
    return "\n".join(lines)


def _edges(scope: Scope, indent: str, entry: str) -> Iterator[str]:
    producers = {v.slot: v.producer for v in scope.values}
    producers[0] = entry
    for node in scope.nodes:
        key = _key(node.id)
        if isinstance(node, ForEachNode):
            yield f'{indent}  {key}["{node.id}: for_each {node.name}"]'
            yield f'{indent}  subgraph body_{key} ["each {node.name}"]'
            yield from _edges(node.body, indent + "  ", node.id)
            yield f"{indent}  end"
            reads: list[int] = [node.objects, node.image]
        else:
            yield f'{indent}  {key}["{node.id}<br/>{node.name}"]'
            reads = [s for b in node.bindings for s in b.slots]
        yield from (f"{indent}  {_key(producers[slot])} --> {key}" for slot in dict.fromkeys(reads))


def _key(id_: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in id_)


def why_wire(plan: Plan, wire: str) -> str:
    """How the wire into ``stage.input`` was chosen; ``draw.boxes.in`` shows all inputs of a stage.

    Raises:
        UsageError: there is no such stage or input.
    """
    stage, _, port = wire.rpartition(".")
    for scope, node in _stages(plan.root):
        if stage not in (node.id, node.name):
            continue
        names = {v.slot: v for v in scope.values}
        lines = []
        for binding in node.bindings:
            if port in ("in", binding.port):
                found = ", ".join(f"{names[s].id} ({noun(names[s].type)})" for s in binding.slots)
                found = found or binding.of_packet or "nothing"
                lines.append(f"{node.id}.{binding.port} takes {found}: {binding.why}")
        if lines:
            return "\n".join(lines)
        ports = ", ".join(b.port for b in node.bindings)
        raise UsageError(f"{node.id} has no input {port!r}", help=f"inputs: {ports}; or in for all of them")
    known = [node.id for _, node in _stages(plan.root)]
    raise UsageError(f"there is no stage {stage!r}", help=did_you_mean(stage, known) or f"stages: {', '.join(known)}")


def _stages(scope: Scope) -> Iterator[tuple[Scope, StageNode]]:
    for node in scope.nodes:
        if isinstance(node, ForEachNode):
            yield from _stages(node.body)
        else:
            yield scope, node
