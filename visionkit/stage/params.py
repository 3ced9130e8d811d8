"""Parameter types that stages share, each with a message that says what to write instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Protocol, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, WithJsonSchema

NAMED_COLORS = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "gray": (128, 128, 128),
    "red": (230, 57, 53),
    "green": (67, 160, 71),
    "blue": (30, 136, 229),
    "yellow": (253, 216, 53),
    "orange": (251, 140, 0),
    "purple": (142, 36, 170),
    "cyan": (0, 172, 193),
    "magenta": (216, 27, 96),
}


def _probability(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        hint = f"; for {value:g} %, write {value / 100:.2f}" if 1 < value <= 100 else ""
        raise ValueError(f"must be a probability from 0 to 1, got {value:g}{hint}")
    return value


def _odd(value: int) -> int:
    if value < 1 or value % 2 == 0:
        raise ValueError(
            f"must be an odd number from 1 up, got {value}; use {max(1, value - 1)} or {max(1, value + 1)}"
        )
    return value


def _color(value: Any) -> tuple[int, int, int]:
    if isinstance(value, str):
        if value in NAMED_COLORS:
            return NAMED_COLORS[value]
        if re.fullmatch(r"#[0-9a-fA-F]{6}", value):
            return int(value[1:3], 16), int(value[3:5], 16), int(value[5:7], 16)
    if (
        isinstance(value, (list, tuple))
        and len(value) == 3
        and all(isinstance(v, int) and 0 <= v <= 255 for v in value)
    ):
        return value[0], value[1], value[2]
    names = ", ".join(NAMED_COLORS)
    raise ValueError(
        f'must be a colour: "#rrggbb" (in quotes), [red, green, blue] from 0 to 255, or one of {names}, got {value!r}'
    )


def device_name(value: str) -> str:
    """``value`` itself if it names a device.

    Raises:
        ValueError: it does not.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", value):
        raise ValueError(f"must be auto, cpu, cuda, cuda:0 (a number) or mps, got {value!r}")
    return value


DeviceName = Annotated[str, AfterValidator(device_name)]
Probability = Annotated[
    float, AfterValidator(_probability), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})
]
OddInt = Annotated[int, AfterValidator(_odd), WithJsonSchema({"type": "integer", "minimum": 1})]
Pixels = Annotated[int, Field(ge=1, le=32768)]
Color = Annotated[
    tuple[int, int, int],
    BeforeValidator(_color),
    WithJsonSchema(
        {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "integer"}, "minItems": 3, "maxItems": 3}]}
    ),
]
"""Red, green, blue, 0..255 each."""

WeightsName = Annotated[str, Field(json_schema_extra={"x-visionkit": "weights"}), "weights"]
"""An entry of the weights catalogue, or a path to a file. Checked when the pipeline is compiled."""


GivenFile = Annotated[Path, "file"]
"""A file the user names; a relative path is looked for beside the pipeline file first."""


def file_fields(model: type[BaseModel]) -> list[str]:
    """The parameters of a model that name a file of the user's."""
    fields = model.model_fields.items()
    return [name for name, info in fields if "file" in info.metadata or GivenFile in get_args(info.annotation)]


def weights_fields(model: type[BaseModel]) -> list[str]:
    """The parameters of a model that name weights."""
    return [name for name, info in model.model_fields.items() if "weights" in info.metadata]


class Tasks(Protocol):
    """What the weights catalogue says of tasks."""

    def get(self, name: str) -> Any: ...
    def names(self, task: str | None = None) -> Sequence[str]: ...


def wrong_task(weights: Tasks, name: str, task: str, nouns: str = "networks") -> list[tuple[str, str, str]]:
    """For a stage's ``check``: (parameter, message, help) where an entry is for another task, else nothing.

    Args:
        weights: the catalogue.
        name: what the file names; it is in the catalogue.
        task: what the stage needs.
        nouns: what the help calls networks for it.
    """
    entry = weights.get(name)
    if entry.task == task:
        return []
    choice = ", ".join(weights.names(task))
    return [("weights", f"{entry.name!r} is for {entry.task}, not for {task}", f"{nouns}: {choice}")]
