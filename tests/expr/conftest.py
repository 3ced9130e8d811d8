"""A scope and an environment that tests of the small language share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from visionkit.expr import Kind, Record, Scope, Type

NUMBER, BOOL, TEXT, ANY = Kind.NUMBER, Kind.BOOL, Kind.TEXT, Kind.ANY
NAN = float("nan")


class Fields:
    """A record at run time."""

    def __init__(self, **fields: Any) -> None:
        self._fields = fields

    def field(self, name: str) -> Any:
        return self._fields[name]


def texts(*items: str | None) -> np.ndarray[Any, Any]:
    return np.array([*items, None], dtype=object)[:-1]


@pytest.fixture
def scope() -> Scope:
    plate = Record({"text": Type(TEXT, True), "score": Type(NUMBER, True)}, "text")
    cars = {
        "width": Type(NUMBER, True),
        "age": Type(NUMBER, True),
        "class_name": Type(TEXT, True),
        "coasted": Type(BOOL, True),
        "extra": Type(ANY, True),
        "count": Type(NUMBER),
        "plate": plate,
    }
    faces = Record({"score": Type(NUMBER, True), "count": Type(NUMBER)}, "detections")
    return {
        "cars": Record(cars, "detections"),
        "faces": faces,
        "n": Type(NUMBER),
        "half": Type(NUMBER),
        "name": Type(TEXT),
        "flag": Type(BOOL),
        "nothing": Type(NUMBER),
    }


@pytest.fixture
def env() -> dict[str, Any]:
    cars = Fields(
        width=np.array([10, NAN, 80], dtype=np.float32),
        age=np.array([1, 2, 3], dtype=np.int64),
        class_name=texts("car", None, "truck"),
        coasted=np.array([True, False, False]),
        extra=texts("a", None, "b"),
        count=3,
        plate=Fields(text=texts("AB 12", "CD", None), score=np.array([0.5, 0.95, NAN])),
    )
    faces = Fields(score=np.array([0.5, 0.25]), count=2)
    return {"cars": cars, "faces": faces, "n": 4, "half": 0.5, "name": "Ada", "flag": True, "nothing": None}
