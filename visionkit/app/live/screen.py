"""What a run shows: a tile for every source, with its newest picture and the newest results of all stages."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from visionkit.app.live.latest import Latest
from visionkit.data import Image, Packet
from visionkit.media.redact import redact_text
from visionkit.stage.source import SourceInfo

FILES = "files"
"""The one tile of everything that is not live: a folder may hold a million pictures."""
WINDOW = 2.0
"""Seconds over which frames per second are counted."""
KEPT = 8
"""Different problems that are remembered."""

Recorder = Callable[[Image, float], None]


@dataclass
class Tile:
    """One source.

    Attributes:
        name: unique; free of credentials.
        caption: what it shows now: the name, or the file that is read.
        picture: what the ``live`` output got.
        results: everything found out about the newest frame.
        recorder: gets every picture too, while somebody records.
        ended: no more will come.
    """

    name: str
    caption: str
    picture: Latest[Image] = field(default_factory=Latest)
    results: Latest[Packet] = field(default_factory=Latest)
    frames: int = 0
    failed: int = 0
    recorder: Recorder | None = None
    ended: bool = False
    times: deque[float] = field(default_factory=lambda: deque(maxlen=256))

    def fps(self, now: float) -> float:
        """Frames a second of late."""
        recent = [t for t in tuple(self.times) if now - t <= WINDOW]
        return len(recent) / WINDOW if len(self.times) > len(recent) else self._young(recent, now)

    @staticmethod
    def _young(recent: list[float], now: float) -> float:
        """The rate of a source that began less than a window ago."""
        return (len(recent) - 1) / max(1e-6, now - recent[0]) if len(recent) > 1 else 0.0


class Screen:
    """All tiles of a run; a :class:`visionkit.media.sinks.live.Screen`. Every call returns at once.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.started = clock()
        self._lock = threading.Lock()
        self._tiles: dict[str, Tile] = {}
        self._problems: Counter[str] = Counter()

    @property
    def tiles(self) -> list[Tile]:
        """In the order in which they came."""
        with self._lock:
            return list(self._tiles.values())

    @property
    def problems(self) -> list[str]:
        """What failed of late, as the terminal would say it, the latest last."""
        with self._lock:
            return [text if count == 1 else f"{text}\n  {count} times" for text, count in self._problems.items()]

    def expect(self, names: list[str]) -> None:
        """Tiles for live sources that may take a while, or never come up."""
        for name in names:
            self._tile(name, name)

    def show(self, picture: Image | None, packet: Packet, source: SourceInfo) -> None:
        """The newest picture of a source, None where there is none."""
        live = source.kind == "live"
        tile = self._tile(source.name if live else FILES, source.name)
        tile.caption, tile.ended = source.name, False
        if picture is None:
            return
        now = self.clock()
        tile.picture.put(picture, now)
        if (recorder := tile.recorder) is not None:
            recorder(picture, now)

    def take(self, packet: Packet) -> None:
        """A finished packet with the results of all stages."""
        with self._lock:
            tile = self._tiles.get(packet.key.source) or self._tiles.get(FILES)
        if packet.failure is not None:
            failure = packet.failure
            self.complain(f"{failure.code}  {failure.stage}\n  {failure.message}")
        if tile is None:
            return
        if packet.failure is not None:
            tile.failed += 1
            return
        now = self.clock()
        tile.frames += 1
        tile.times.append(now)
        tile.results.put(packet, now)

    def end(self, source: SourceInfo) -> None:
        """No more will come from this source."""
        if source.kind == "live":
            self._tile(source.name, source.name).ended = True

    def complain(self, text: str) -> None:
        """Something to show beside the pictures, without anybody's password."""
        text = redact_text(text)
        with self._lock:
            count = self._problems.pop(text, 0)
            self._problems[text] = count + 1
            while len(self._problems) > KEPT:
                del self._problems[next(iter(self._problems))]

    def content(self) -> None:
        """What was wrong is mended."""
        with self._lock:
            self._problems.clear()

    def _tile(self, name: str, caption: str) -> Tile:
        with self._lock:
            if name not in self._tiles:
                self._tiles[name] = Tile(name, caption)
            return self._tiles[name]
