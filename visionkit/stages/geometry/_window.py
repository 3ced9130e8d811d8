"""Lengths in a pipeline file: whole numbers are pixels, numbers with a decimal point are fractions."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema


def _length(value: int | float) -> int | float:
    if value < 0:
        raise ValueError(f"must not be negative, got {value:g}")
    if isinstance(value, float) and value > 1:
        raise ValueError(f"must be pixels, a whole number, or a fraction from 0.0 to 1.0, got {value:g}")
    return value


Length = Annotated[int | float, AfterValidator(_length), WithJsonSchema({"type": "number", "minimum": 0})]
"""Pixels if written as a whole number (``200``), a fraction of the side if with a decimal point (``0.5``, ``1.0``)."""


def in_pixels(length: int | float, side: int) -> float:
    """A :data:`Length` along a side of ``side`` pixels."""
    return length * side if isinstance(length, float) else float(length)
