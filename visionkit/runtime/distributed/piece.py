"""What goes to a worker and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from visionkit.frozen import Frozen
from visionkit.pipeline.plan import Plan
from visionkit.runtime.context import RunSettings
from visionkit.runtime.lanes import Totals
from visionkit.runtime.manifest import Finished
from visionkit.runtime.metrics import NodeTime

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 32
"""Pictures in a piece: enough that sending it costs nothing, few enough that losing it costs little."""


class Hub(Protocol):
    """Where stages get networks and files from."""

    def context(self, stage_id: str, note: Callable[[str], None]) -> Any: ...
    def close(self) -> None: ...


class Setup(Frozen):
    """All that a worker needs to know before the first piece.

    Attributes:
        hub: makes the worker's own hub of networks.
        cores: how many processors the worker may use.
        folder: the working directory of who started the run: inputs may be named relative to it.
        version: of visionkit; both sides have to be the same.
        scratch: a folder beside the results; workers on the machine ``node`` leave files there instead of sending them.
    """

    plan: Plan
    settings: RunSettings
    hub: Callable[[], Hub]
    cores: int
    folder: Path
    version: str
    for_outputs: Mapping[str, Any]
    scratch: Path | None = None
    node: str = ""


class Piece(Frozen):
    """Some inputs of a run, by their indices in its lane. ``deaths``: how many workers died of it, or beside it."""

    number: int
    indices: tuple[int, ...]
    deaths: int = 0

    def halves(self) -> tuple[Piece, Piece]:
        """The first and the second half of it."""
        middle = len(self.indices) // 2
        return replace(self, indices=self.indices[:middle]), replace(self, indices=self.indices[middle:])


class Written(Frozen):
    """What a worker made of a piece.

    Attributes:
        rows: a finished row of the manifest for each input, ``ends`` counted in the worker's own tables.
        starts: how long those tables were before.
        tables: what was appended to them.
        files: all other files, by their path below the output folder: bytes (N,) uint8, or where they lie.
        counts, object_failures: of this piece alone.
        worker: who did it; ``times``: of that worker since it began.
    """

    rows: tuple[Finished, ...]
    starts: Mapping[str, int]
    tables: Mapping[str, bytes]
    files: Mapping[str, NDArray[np.uint8] | Path]
    counts: Totals
    object_failures: int = 0
    worker: str = ""
    times: tuple[NodeTime, ...] = ()
    notes: tuple[str, ...] = ()


def cut(indices: Sequence[int], is_picture: Callable[[int], bool], workers: int) -> Iterator[list[int]]:
    """``indices`` in order, in pieces: a video alone, pictures together.

    Pieces get smaller towards the end, so that all workers have something to do until then.
    """
    gathered: list[int] = []
    for place, index in enumerate(indices):
        picture = is_picture(index)
        most = min(MOST, (len(indices) - place + len(gathered)) // (8 * workers))
        if gathered and (not picture or len(gathered) >= most):
            yield gathered
            gathered = []
        if picture:
            gathered.append(index)
        else:
            yield [index]
    if gathered:
        yield gathered
