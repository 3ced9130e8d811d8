"""The files that are one source's alone, as the manifest of a run remembers them."""

from __future__ import annotations

from pathlib import Path

from visionkit.stage.sink import SinkContext

MOST = 1000
"""So many are remembered for a source: a video may have crops without end."""


class Own:
    """Collects the files of a source while it is written, in runs that keep a manifest."""

    def __init__(self, context: SinkContext) -> None:
        self._out, self._keeps = context.out, context.keep
        self._names: list[str] = []

    def add(self, path: Path) -> None:
        if self._keeps and len(self._names) < MOST:
            self._names.append(path.relative_to(self._out).as_posix())

    def taken(self) -> list[str]:
        """Paths below the output folder since this was last asked."""
        found, self._names = self._names, []
        return found
