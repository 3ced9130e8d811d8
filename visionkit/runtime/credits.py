"""Flow control: bytes are taken at the source and given back at the sink, so no queue in between ever blocks."""

from __future__ import annotations

import threading


class Credits:
    """The budget of one lane: bytes, and packets, so that small frames do not queue up for seconds."""

    def __init__(self, budget: int, packets: int = 1_000_000) -> None:
        self.budget = budget
        self.packets = packets
        self._used = 0
        self._packets = 0
        self._closed = False
        self._changed = threading.Condition()

    @property
    def in_flight(self) -> int:
        return self._packets

    def acquire(self, cost: int, wait: bool = True) -> bool:
        """Take ``cost`` bytes; a packet larger than the budget is admitted when it is alone.

        Returns:
            False if the credits were closed, or (``wait=False``) if there is no room now.
        """
        with self._changed:
            while not self._closed and self._packets and self._is_full(cost):
                if not wait:
                    return False
                self._changed.wait()
            if self._closed:
                return False
            self._used += cost
            self._packets += 1
            return True

    def _is_full(self, cost: int) -> bool:
        return self._used + cost > self.budget or self._packets >= self.packets

    def release(self, cost: int) -> None:
        with self._changed:
            self._used -= cost
            self._packets -= 1
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody gets in any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
