"""What zones and lines remember of each track."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Generic, TypeVar

T = TypeVar("T")


class Tracks(Generic[T]):
    """One state for each track; those not seen for ``forget`` frames are given up.

    Args:
        new: makes the state of a track that was never seen.
        forget: frames.
    """

    def __init__(self, new: Callable[[], T], forget: int) -> None:
        self._new = new
        self._forget = forget
        self._frame = 0
        self._states: dict[int, T] = {}
        self._seen: dict[int, int] = {}

    def frame(self) -> Iterator[tuple[int, T]]:
        """The next frame begins: tracks that are over, and what is known of them."""
        self._frame += 1
        for track in [t for t, seen in self._seen.items() if self._frame - seen > self._forget]:
            del self._seen[track]
            yield track, self._states.pop(track)

    def __getitem__(self, track: int) -> T:
        """The state of a track that is seen on this frame."""
        self._seen[track] = self._frame
        if track not in self._states:
            self._states[track] = self._new()
        return self._states[track]


def seconds(since: Fraction | None, now: Fraction | None) -> float | None:
    """The time between two packets, None where one of them has no time."""
    return None if since is None or now is None else float(now - since)
