"""A stage and the library call that somebody would write in its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.accuracy.scene import Scene

Pixels = np.ndarray
Call = Callable[[Pixels], Any]


@dataclass(frozen=True)
class Pair:
    """One stage and its library.

    Attributes:
        stage: its name.
        by_hand: makes the bare call, from BGR pixels (H, W, 3) to what the library gives.
        params: of the stage; ``{folder}`` in a text is the scene's, ``{samples}`` the bundled one.
        note: what tells it from another pair with the same stage, and which library it is.
        takes: what the stage is given, by the names of a scene's values.
        picture: which picture: see :func:`benchmarks.accuracy.scene.picture`.
    """

    stage: str
    by_hand: Callable[[Scene], Call]
    params: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    takes: tuple[str, ...] = ("image",)
    picture: str = "street"

    @property
    def name(self) -> str:
        return f"`{self.stage}`{f' {self.note}' if self.note else ''}"


def plain(call: Call) -> Callable[[Scene], Call]:
    """A bare call that needs nothing but pixels."""
    return lambda scene: call
