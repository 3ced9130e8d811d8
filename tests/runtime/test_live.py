"""Live sources: the newest frame wins, drops are counted, nothing waits for a frozen camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from tests.runtime.conftest import compiled
from visionkit.data import Image, Packet
from visionkit.runtime.context import Context, RunSettings
from visionkit.runtime.engine import Engine
from visionkit.stage import Frame, SinkContext, SourceInfo

SLOW = "stages:\n  - toy.batch: {id: b, slow: 0.02}\n"


class Camera:
    """Frames at a steady pace; with ``freeze`` it hangs after so many, as a dead camera does."""

    def __init__(self, name: str, count: int, seconds: float = 0.004, freeze: bool = False) -> None:
        self.name = name
        self.live = True
        self.infos = None
        self._info = SourceInfo(name, "live")
        self._count, self._seconds, self._freeze = count, seconds, freeze

    def frames(self) -> Iterator[Frame]:
        for i in range(self._count):
            time.sleep(self._seconds)
            yield Frame(
                self._info, i, lambda i=i: Image(np.full((2, 2), i % 256, np.uint8), "gray"), 4, Fraction(i, 250)
            )
        if self._freeze:
            time.sleep(600)


def engine_for(text: str, packets: list[Packet]) -> Engine:
    return Engine(compiled(text), RunSettings(), lambda id_, note: Context(id_, None, 0, note), packets.append)


def test_the_newest_frame_wins_and_the_count_is_exact() -> None:
    packets: list[Packet] = []
    summary = engine_for(SLOW, packets).run([Camera("a", 200), Camera("b", 200)], [], SinkContext(Path()))
    assert summary.received == 400 == summary.out + summary.dropped
    assert summary.dropped > 200
    for name in "ab":
        indices = [p.key.index for p in packets if p.key.source == name]
        assert indices == sorted(indices)
        assert indices[-1] == 199, "the last frame is the newest: it must not be the one that was dropped"


def test_stopping_does_not_wait_for_a_frozen_camera_and_others_go_on() -> None:
    packets: list[Packet] = []
    engine = engine_for("stages:\n  - toy.noop\n", packets)
    threading.Timer(1.0, engine.stop).start()
    started = time.monotonic()
    summary = engine.run([Camera("frozen", 3, freeze=True), Camera("well", 100_000)], [], SinkContext(Path()))
    assert time.monotonic() - started < 4
    assert summary.interrupted
    assert sum(p.key.source == "well" for p in packets) > 50
