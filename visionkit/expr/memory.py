"""The states behind the reducers: what one track keeps of its readings.

A reading is a scalar or, of a record, a dict of its fields. One that is null is never counted: None (absent), NaN, or
a record all of whose fields are null. Memory is bounded by the window, or constant.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from visionkit.expr.errors import KIND, ExprError

Reading = Any
KEYS = ("text", "class_name")
"""The fields of a record that are voted on; the first there is."""


class Memory(Protocol):
    """What one track keeps of its readings."""

    @property
    def value(self) -> Reading:
        """The reduced value, None before the first reading."""

    def update(self, reading: Reading) -> None:
        """Take one reading in; null is ignored."""


class Window:
    """The last ``size`` readings, reduced when asked."""

    def __init__(self, size: int, reduce: Callable[[Sequence[Reading]], Reading]) -> None:
        self._readings: deque[Reading] = deque(maxlen=size)
        self._reduce = reduce

    def update(self, reading: Reading) -> None:
        if not is_null(reading):
            self._readings.append(reading)

    @property
    def value(self) -> Reading:
        return self._reduce(self._readings) if self._readings else None


class Kept:
    """One reading: each new one is compared with it by ``pick(kept, new)``."""

    def __init__(self, pick: Callable[[Reading, Reading], Reading]) -> None:
        self.value: Reading = None
        self._pick = pick

    def update(self, reading: Reading) -> None:
        if not is_null(reading):
            self.value = reading if self.value is None else self._pick(self.value, reading)


class RunningMean:
    """The mean of all numbers so far."""

    def __init__(self) -> None:
        self._sum = 0.0
        self._count = 0

    def update(self, reading: Reading) -> None:
        if not is_null(reading):
            self._sum += number(reading)
            self._count += 1

    @property
    def value(self) -> float | None:
        return self._sum / self._count if self._count else None


def vote(readings: Sequence[Reading]) -> Reading:
    """The latest reading of the value with the highest summed score; ties go to the value that was read last."""
    scores: dict[Any, list[float]] = {}
    latest: dict[Any, int] = {}
    for i, reading in enumerate(readings):
        key = key_of(reading)
        if key is not None:
            scores.setdefault(key, []).append(_weight(reading))
            latest[key] = i
    if not scores:
        return None
    # fsum: the order of equal readings cannot decide a vote by rounding.
    return readings[latest[max(scores, key=lambda key: (math.fsum(scores[key]), latest[key]))]]


def best(readings: Sequence[Reading]) -> Reading:
    """The reading with the highest score, ties to the latest."""
    kept = readings[0]
    for reading in readings:
        kept = better(kept, reading)
    return kept


def better(kept: Reading, new: Reading) -> Reading:
    """``new`` unless ``kept`` has a higher score; of plain numbers, the number is the score. Null is lowest."""
    return new if _rank(new) >= _rank(kept) else kept


def mean(readings: Sequence[Reading]) -> float:
    """The mean of numbers."""
    return math.fsum(map(number, readings)) / len(readings)


def key_of(reading: Reading) -> Any:
    """What is voted on: the first field of KEYS that a record has, else the scalar itself; None for null."""
    if not isinstance(reading, Mapping):
        return reading
    key = next((reading[name] for name in KEYS if name in reading), None)
    return None if is_null(key) else key


def is_null(reading: Reading) -> bool:
    """Whether a reading says nothing."""
    if isinstance(reading, Mapping):
        return all(is_null(value) for value in reading.values())
    return reading is None or (isinstance(reading, float) and math.isnan(reading))


def number(value: Any) -> float:
    """``value`` as a float.

    Raises:
        ExprError: it is something else.
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ExprError(KIND, 0, f"needs a number, got {value!r}", "read a number, or a value with a score") from None


def _weight(reading: Reading) -> float:
    """1 for what has no score, 0 for a score that is null."""
    score = reading.get("score", 1.0) if isinstance(reading, Mapping) else 1.0
    return 0.0 if is_null(score) else number(score)


def _rank(reading: Reading) -> float:
    score = reading.get("score") if isinstance(reading, Mapping) else reading
    return -math.inf if is_null(score) else number(score)
