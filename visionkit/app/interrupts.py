"""Ctrl-C while everything is still being imported: Python raises it where it may be printed and forgotten."""

from __future__ import annotations

import signal
from typing import Any


class Remembered:
    """A handler of SIGINT: raises KeyboardInterrupt as Python's own does, and knows that it did."""

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, frame: Any) -> None:
        self.came = True
        raise KeyboardInterrupt


def remember_interrupts() -> None:
    """From now on; call it before anything large is imported."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, Remembered())


def raise_forgotten() -> None:
    """Raises the KeyboardInterrupt that was lost, if there was one."""
    handler = signal.getsignal(signal.SIGINT)
    if isinstance(handler, Remembered) and handler.came:
        raise KeyboardInterrupt
