"""Pieces of a run: every input comes back once and in order, whatever dies; what kills its worker fails alone."""

from __future__ import annotations

import random
from threading import Event

import pytest

from visionkit.errors import UsageError
from visionkit.runtime.distributed.connect import cluster
from visionkit.runtime.distributed.dispatch import Dispatch
from visionkit.runtime.distributed.piece import MOST, Piece, Written, cut
from visionkit.runtime.distributed.pool import DEPTH, Done, Lost
from visionkit.runtime.lanes import Totals

WRITTEN = Written((), {}, {}, {}, Totals())


class Pool:
    """Actors that die of some inputs, and by chance; done in any order."""

    def __init__(self, deadly: set[int], chance: float, seed: int, size: int = 3) -> None:
        self.size, self._deadly, self._chance = size, deadly, chance
        self._random = random.Random(seed)
        self.actors: list[list[Piece]] = [[] for _ in range(size)]
        self.runs: list[int] = []

    @property
    def busy(self) -> bool:
        return any(self.actors)

    def submit(self, piece: Piece, source: object) -> bool:
        free = [a for a in self.actors if len(a) < DEPTH and not any(other.deaths for other in a)]
        least = min(free, key=len, default=None)
        if least is None or (piece.deaths and least):
            return False
        least.append(piece)
        return True

    def wait(self, seconds: float) -> list[Done | Lost]:
        actor = self._random.choice([a for a in self.actors if a])
        piece = self._random.choice(actor)
        if self._deadly & set(piece.indices) or self._random.random() < self._chance:
            lost = [Lost(one, "the worker died") for one in actor]
            actor.clear()
            return list(lost)
        actor.remove(piece)
        self.runs += piece.indices
        return [Done(piece, WRITTEN)]


def dispatched(count: int, pool: Pool) -> tuple[list[int], list[int]]:
    """Inputs in the order in which they came back, and those that were given up."""
    pieces = (Piece(n, tuple(part)) for n, part in enumerate(cut(range(count), lambda i: i % 11 != 0, 3)))
    order, given_up = [], []
    for piece, written in Dispatch(pool, pieces, lambda indices: None).results(Event()):  # type: ignore[arg-type]
        order += piece.indices
        given_up += piece.indices if isinstance(written, str) else []
    return order, given_up


@pytest.mark.parametrize("seed", range(20))
def test_every_input_once_and_in_order(seed: int) -> None:
    pool = Pool(deadly=set(), chance=0.05, seed=seed)
    order, _ = dispatched(500, pool)
    assert order == list(range(500))
    assert sorted(set(pool.runs)) == sorted(pool.runs)


def test_what_kills_its_worker_fails_alone() -> None:
    deadly = {0, 77, 78, 499}
    pool = Pool(deadly, chance=0, seed=1)
    order, given_up = dispatched(500, pool)
    assert order == list(range(500))
    assert set(given_up) == deadly
    assert sorted(pool.runs) == sorted(set(range(500)) - deadly)


def test_a_stopped_run_waits_for_what_is_in_work() -> None:
    stopping, pool = Event(), Pool(set(), 0, 0)
    pieces = (Piece(n, (n,)) for n in range(100))
    came = []
    for piece, _ in Dispatch(pool, pieces, lambda indices: None).results(stopping):  # type: ignore[arg-type]
        came.append(piece.number)
        if len(came) == 10:
            stopping.set()
    assert came == list(range(len(came)))
    assert 10 <= len(came) < 100
    assert not pool.busy


@pytest.mark.parametrize(("count", "workers"), [(1, 4), (7, 2), (1000, 2), (100_000, 3)])
def test_pieces_are_all_of_it_and_no_larger_than_they_should_be(count: int, workers: int) -> None:
    parts = list(cut(range(count), lambda index: index % 50 != 0, workers))
    assert [index for part in parts for index in part] == list(range(count))
    assert max(map(len, parts)) <= MOST
    assert all(len(part) == 1 for part in parts if part[0] % 50 == 0)


@pytest.mark.parametrize(
    ("address", "why"),
    [("127.0.0.1:1", "refused"), ("127.0.0.1:99999", "cannot be used"), ("ray://head:10001", "client")],
)
def test_a_cluster_that_is_not_there_is_an_error_at_once(address: str, why: str) -> None:
    with pytest.raises(UsageError, match=why), cluster(address):
        pass
