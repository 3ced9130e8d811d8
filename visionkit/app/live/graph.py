"""The compiled plan as a drawing: boxes in rows, each row below what it needs, and wires between them."""

from __future__ import annotations

from typing import Any

from visionkit.frozen import Frozen
from visionkit.pipeline.plan import ForEachNode, Plan, Scope, StageNode
from visionkit.stage.ports import noun

SOURCE_ID = "source"


class Box(Frozen):
    """One stage, output or source.

    Attributes:
        id: unique in the drawing; below a ``for_each`` behind its id.
        view: the id of the value to show at a click, "" for the output picture.
        row, column: its place, counted from 0.
        meter: the name under which the engine measures it, "" if it does not.
    """

    id: str
    title: str
    subtitle: str
    kind: str
    view: str
    row: int
    column: int = 0
    meter: str = ""
    nested: bool = False


def drawing(plan: Plan) -> dict[str, Any]:
    """``boxes`` and ``wires`` (pairs of ids), ready for JSON."""
    drawer = _Drawer()
    drawer.boxes.append(Box(SOURCE_ID, "source", "the untouched frame", "source", SOURCE_ID, 0, meter="decode"))
    made = drawer.scope(plan.root, "", {0: SOURCE_ID}, "")
    for output in plan.outputs:
        fed = {slot for name, slot in output.values.items() if name != "source"} or set(output.values.values())
        view = "" if output.name == "live" else None
        told = "what this page shows" if output.name == "live" else f"output {output.name}"
        needs = list(dict.fromkeys(made[slot] for slot in sorted(fed) if slot in made))
        drawer.place(f"output:{output.id}", output.id, told, "output", view, needs, f"{output.id}:write")
    boxes = _columns(drawer.boxes)
    return {"boxes": [vars(box) for box in boxes], "wires": sorted(set(drawer.wires))}


class _Drawer:
    def __init__(self) -> None:
        self.boxes: list[Box] = []
        self.wires: list[tuple[str, str]] = []

    def place(
        self, id_: str, title: str, subtitle: str, kind: str, view: str | None, needs: list[str], meter: str = ""
    ) -> int:
        """Add a box below all that it needs; returns its row."""
        rows = {box.id: box.row for box in self.boxes}
        row = 1 + max((rows[need] for need in needs), default=0)
        shown = "-" if view is None else view  # "-": nothing to look at
        self.boxes.append(Box(id_, title, subtitle, kind, shown, row, meter=meter, nested="/" in id_))
        self.wires += [(need, id_) for need in needs]
        return row

    def scope(self, scope: Scope, prefix: str, made: dict[int, str], outer: str) -> dict[int, str]:
        """Boxes of a list; ``made`` says which box makes the value of a slot, ``outer`` whose click is shown inside."""
        values = {value.slot: value for value in scope.values}
        for node in scope.nodes:
            id_ = prefix + node.id
            needs = list(dict.fromkeys(made[slot] for slot in node.reads() if slot in made))
            if isinstance(node, ForEachNode):
                self.place(id_, node.id, f"for each {node.name}", "for_each", outer or node.id, needs)
                last = self.scope(node.body, f"{id_}/", {0: id_}, outer or node.id)
                end = last[max(last)] if len(last) > 1 else id_
                made |= dict.fromkeys(node.outputs, end)
            else:
                gives = ", ".join(noun(values[slot].type) for slot in node.outputs)
                self.place(id_, node.id, _subtitle(node, gives), node.kind, outer or node.id, needs, node.id)
                made |= dict.fromkeys(node.outputs, id_)
        return made


def _subtitle(node: StageNode, gives: str) -> str:
    name = node.name if node.name.replace(".", "_") != node.id else ""
    return " → ".join(part for part in (name, gives) if part)


def _columns(boxes: list[Box]) -> list[Box]:
    """Boxes of one row beside each other, in the order of the file."""
    taken: dict[int, int] = {}
    placed = []
    for box in boxes:
        column = taken.get(box.row, 0)
        taken[box.row] = column + 1
        placed.append(Box(**{**vars(box), "column": column}))
    return placed
