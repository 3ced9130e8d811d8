"""How the result of any stage looks: pictures as they are, everything else drawn on the frame by our draw stages."""

from __future__ import annotations

from typing import Any

from visionkit.data import (
    ABSENT,
    Detections,
    Field,
    Image,
    Labels,
    Lines,
    Matte,
    Packet,
    Rows,
    Scores,
    SemanticMask,
    TextLines,
)
from visionkit.expr import Template
from visionkit.runtime.context import Context
from visionkit.stage.catalogue import stages

_DRAWN: tuple[tuple[type, str], ...] = (
    (Detections, "draw.boxes"),
    (SemanticMask, "draw.mask"),
    (Matte, "draw.heatmap"),
    (Field, "draw.heatmap"),
    (Lines, "draw.lines"),
    (TextLines, "draw.text"),
    (Labels, "draw.labels"),
)
MOST_LINES = 12


def look(packet: Packet, stage: str) -> Image | None:
    """A picture of what ``stage`` made of a packet; None if it did not run.

    Args:
        packet: with the values of all stages by id, and the frame as "source".
        stage: an id; of a stage with several outputs the first is shown.
    """
    value = _value(packet, stage)
    frame = packet.values.get("source", ABSENT)
    if isinstance(value, Image) or value is ABSENT or not isinstance(frame, Image):
        return value if isinstance(value, Image) else None
    for kind, name in _DRAWN:
        if isinstance(value, kind):
            return _drawn(_name(value, name), frame, value)
    return _written(frame, _lines(value))


def _value(packet: Packet, stage: str) -> Any:
    found = (v for name, v in packet.values.items() if name == stage or name.startswith(f"{stage}."))
    return next(found, ABSENT)


def _name(value: Any, name: str) -> str:
    if isinstance(value, Field) and value.kind == "flow":
        return "draw.flow"
    if isinstance(value, Detections) and value.polygons is not None:
        return "draw.polygons"
    return "draw.masks" if isinstance(value, Detections) and value.masks is not None else name


def _drawn(name: str, frame: Image, value: Any, **params: Any) -> Image:
    stage = stages().get(name)
    made = stage(stage.Params(**params))
    made.open(Context(name, None, 0, lambda message: None))  # type: ignore[arg-type]  # it asks for no weights
    try:
        picture: Image = made.run(frame, value)
    finally:
        made.close()
    return picture


def _written(frame: Image, lines: list[str]) -> Image:
    text = "\n".join(lines).replace("{", "{{").replace("}", "}}")
    stage = stages().get("draw.title")
    made = stage(stage.Params(text=Template.parse(text)))
    made.open(Context("title", None, 0, lambda message: None))  # type: ignore[arg-type]
    picture: Image = made.run(frame, None, None, None, None)
    return picture


def _lines(value: Any) -> list[str]:
    if isinstance(value, Scores):
        rows = [f"{name}: {number:.4g}" for name, number in value.values.items()]
    elif isinstance(value, Rows):
        rows = [", ".join(f"{k}: {v}" for k, v in row.items()) for row in value.rows]
    else:
        rows = [str(value)]
    shown = rows[:MOST_LINES]
    return [*shown, f"and {len(rows) - len(shown)} more"] if len(rows) > len(shown) else shown or ["nothing"]
