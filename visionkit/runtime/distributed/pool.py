"""Ray actors that run pieces; those that die are replaced, and their pieces go back to who sent them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from visionkit.errors import StageError
from visionkit.frozen import Frozen
from visionkit.runtime.distributed.piece import Piece, Setup, Written
from visionkit.runtime.distributed.worker import Worker
from visionkit.stage.source import Source

DEPTH = 2
"""Pieces that an actor has at a time: while the results of one travel, it works on the next."""
PATIENCE = 120.0
"""Seconds without a single worker until the run is given up."""


class Done(Frozen):
    """A piece and what became of it."""

    piece: Piece
    written: Written


class Lost(Frozen):
    """A piece whose worker died before it was done."""

    piece: Piece
    reason: str


@dataclass
class _Member:
    actor: Any
    ready: bool = False
    pieces: dict[Any, Piece] = field(default_factory=dict)  # by the reference to their results

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more now: a piece that others died of has it for itself."""
        return not self.ready or len(self.pieces) >= DEPTH or any(piece.deaths for piece in self.pieces.values())


class Pool:
    """So many actors of a cluster, as far as there is room for them.

    Args:
        ray: the connected module.
        count: actors to keep.
        needs: ``num_cpus``, ``num_gpus`` of each.
    """

    def __init__(self, ray: Any, setup: Setup, count: int, needs: dict[str, float]) -> None:
        self._ray, self._needs = ray, needs
        self._setup = ray.put(setup)
        self._class = ray.remote(Worker)
        self._members: dict[Any, _Member] = {}  # by the reference to their start
        self._last_seen = monotonic()
        for _ in range(count):
            self._hire()

    def _hire(self) -> None:
        options = {**self._needs, "max_concurrency": DEPTH + 1, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        actor = self._class.options(**options).remote()
        self._members[actor.start.remote(self._setup)] = _Member(actor)

    @property
    def size(self) -> int:
        """Actors that are there or are being started."""
        return len(self._members)

    @property
    def busy(self) -> bool:
        return any(member.pieces for member in self._members.values())

    def submit(self, piece: Piece, source: Callable[[Sequence[int]], Source]) -> bool:
        """Give it, as ``source`` reads it, to the actor with the least to do; False if none can take it now."""
        free = [member for member in self._members.values() if not member.is_closed]
        least = min(free, key=lambda member: len(member.pieces), default=None)
        if least is None or (piece.deaths and least.pieces):
            return False
        least.pieces[least.actor.run.remote(source(piece.indices))] = piece
        return True

    def wait(self, seconds: float) -> list[Done | Lost]:
        """What has come about, after ``seconds`` at the latest.

        Raises:
            VisionkitError: what a worker raised.
            StageError: there has been no worker for a long time.
        """
        starting = [reference for reference, member in self._members.items() if not member.ready]
        working = [reference for member in self._members.values() for reference in member.pieces]
        done, _ = self._ray.wait([*working, *starting], num_returns=1, timeout=seconds)
        if done:
            done, _ = self._ray.wait([*working, *starting], num_returns=len(working) + len(starting), timeout=0)
        found = [event for reference in done for event in self._settle(reference)]
        self._refuse_to_wait_forever()
        return found

    def _settle(self, reference: Any) -> list[Done | Lost]:
        for start, member in self._members.items():
            if reference == start or reference in member.pieces:
                break
        else:  # lost together with one before it
            return []
        try:
            result = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            raise _cause(error) from None
        except self._ray.exceptions.RayError as error:
            return self._bury(start, str(error).strip().split("\n")[0])
        if reference == start:
            member.ready = True
            return []
        return [Done(member.pieces.pop(reference), result)]

    def _bury(self, start: Any, reason: str) -> list[Done | Lost]:
        """An actor is gone, or out of reach: another takes its place."""
        member = self._members.pop(start)
        self._ray.kill(member.actor)
        self._hire()
        return [Lost(piece, reason) for piece in member.pieces.values()]

    def _refuse_to_wait_forever(self) -> None:
        if any(member.ready for member in self._members.values()):
            self._last_seen = monotonic()
        elif monotonic() - self._last_seen > PATIENCE:
            wanted = ", ".join(f"{value:g} {name.removeprefix('num_').upper()}" for name, value in self._needs.items())
            there = self._ray.cluster_resources()
            has = ", ".join(f"{there.get(name, 0):g} {name}" for name in ("CPU", "GPU"))
            text = f"no worker could be started for {PATIENCE:g} s: each needs {wanted}; the cluster has {has}"
            raise StageError(text, help="what was done is kept: the same command goes on with it")

    def close(self) -> None:
        """Ends all actors; a moment for them to take their folders away."""
        closing = [member.actor.close.remote() for member in self._members.values() if member.ready]
        if closing:
            self._ray.wait(closing, num_returns=len(closing), timeout=3.0)
        for member in self._members.values():
            self._ray.kill(member.actor)


def _cause(error: Any) -> BaseException:
    """What was raised in the worker, without Ray's wrapping."""
    found = error.cause
    return found if isinstance(found, BaseException) else error
