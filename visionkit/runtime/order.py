"""Puts tokens that overtook one another back in the order of their lane."""

from __future__ import annotations

from collections.abc import Iterator

from visionkit.runtime.token import Lane, Token


class Sequencer:
    """Feed it tokens in any order; it gives them back in lane order. Every number of a lane comes exactly once."""

    def __init__(self) -> None:
        self._next: dict[Lane, int] = {}
        self._waiting: dict[Lane, dict[int, Token]] = {}

    def push(self, token: Token) -> Iterator[Token]:
        """The tokens that are next in line now."""
        lane = token.lane
        expected = self._next.get(lane, 0)
        waiting = self._waiting.setdefault(lane, {})
        waiting[token.seq] = token
        while (found := waiting.pop(expected, None)) is not None:
            expected += 1
            self._next[lane] = expected
            yield found

    def start_at(self, lanes: dict[Lane, int]) -> None:
        """Lanes that are under way: the number that comes next in each."""
        self._next = dict(lanes)
