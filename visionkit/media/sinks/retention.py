"""Which recordings may stay: the oldest go when they are too old or take too much room."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from visionkit.frozen import Frozen

STAMP = "%Y-%m-%dT%H-%M-%SZ"
_OURS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ)(-\d+)?\.mp4(\.part)?")


def stamped(folder: Path, wall: float) -> Path:
    """A free name in ``folder`` for a recording that begins at ``wall`` (seconds since 1970)."""
    stem = datetime.fromtimestamp(wall, UTC).strftime(STAMP)
    path, number = folder / f"{stem}.mp4", 1
    while path.exists() or path.with_name(f"{path.name}.part").exists():
        number += 1
        path = folder / f"{stem}-{number}.mp4"
    return path


class Retention(Frozen):
    """How much of the recordings in ``folder`` stays; None for no limit.

    Attributes:
        hours: the age of a file, by the time in its name.
        megabytes: all files together.
    """

    folder: Path
    hours: float | None
    megabytes: float | None

    def apply(self, wall: float) -> list[Path]:
        """Delete what is too old or too much, the oldest first; the newest always stays. Returns what went."""
        files = sorted(_recordings(self.folder), key=lambda found: (found[1], found[0].stat().st_mtime_ns))
        room = sum(path.stat().st_size for path, _ in files)
        gone = []
        for path, begin in files[:-1]:
            old = self.hours is not None and wall - begin > self.hours * 3600
            if not old and (self.megabytes is None or room <= self.megabytes * 1e6):
                break
            room -= path.stat().st_size
            with suppress(OSError):  # somebody looks at it (Windows): the next time
                path.unlink()
                gone.append(path)
        return gone


def _recordings(folder: Path) -> Iterable[tuple[Path, float]]:
    """Files whose names are times, also those a killed run left, and when they begin."""
    for path in folder.iterdir():
        if (found := _OURS.fullmatch(path.name)) and path.is_file():
            with suppress(ValueError):
                yield path, datetime.strptime(found[1], STAMP).replace(tzinfo=UTC).timestamp()
