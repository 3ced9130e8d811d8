"""What a stage gets when it is opened: weights, device, seed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Protocol


class StageContext(Protocol):
    """The engine's hand to a stage in :meth:`Stage.open`.

    Attributes:
        stage_id: the stage's id in the pipeline.
        device: "cpu", "cuda", "cuda:0", "mps".
        seed: the run's seed; derive randomness with :func:`derived_seed`.
    """

    stage_id: str
    device: str
    seed: int

    def model(self, name: str, task: str) -> Any:
        """The catalogue's (or a file's) network for ``task``, loaded on the device: a ``visionkit.backends.Model``."""

    def file(self, name: str, part: str | None = None) -> Path:
        """The verified local path of a catalogue entry's file, for libraries that load it themselves."""

    def report(self, message: str) -> None:
        """Tell the user something about the work (a fallback taken, progress of a long step)."""


def derived_seed(seed: int, stage_id: str, source: str, index: int, variant: int = 0) -> int:
    """A 64-bit seed for one packet: the same wherever and in whatever order it is processed."""
    text = f"{seed}\0{stage_id}\0{source}\0{index}\0{variant}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")
