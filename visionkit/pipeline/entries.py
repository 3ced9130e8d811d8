"""The weights and files a pipeline asks for, looked up while it is compiled: entries are read once, nothing loaded."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visionkit.weights import Catalogue, Entry


class Entries:
    """The weights catalogue for one compilation, and the files that the pipeline names.

    Attributes:
        used: name or path → what identifies the content, for the plan's hash.
    """

    def __init__(self) -> None:
        self.used: dict[str, str] = {}
        self._read: dict[str, Entry] = {}

    @cached_property
    def _catalogue(self) -> Catalogue:
        from visionkit.weights import Catalogue

        return Catalogue.load()

    def __contains__(self, name: str) -> bool:
        return name in self._catalogue

    def names(self, task: str | None = None) -> tuple[str, ...]:
        """See :meth:`visionkit.weights.Catalogue.names`."""
        return self._catalogue.names(task)

    def get(self, name: str) -> Entry:
        """See :meth:`visionkit.weights.Catalogue.get`."""
        if name not in self._read:
            self._read[name] = self._catalogue.get(name)
        return self._read[name]

    def use(self, name: str, folder: Path) -> str:
        """Note that ``name`` is used; a path comes back in full, relative ones being relative to ``folder``.

        Raises:
            WeightsError: it is neither an entry nor a file.
        """
        path = folder / name
        try:
            if Path(name).suffix and name not in self and path.is_file():
                state = path.stat()
                self.used[str(path)] = f"file:{state.st_size}:{state.st_mtime_ns}"
                return str(path.absolute())
        except (OSError, ValueError):
            pass  # a text that is no path: the catalogue says what it thinks of it
        self.used[name] = ",".join(str(file.sha256 or "") for file in self.get(name).files)
        return name

    def given(self, path: Path) -> None:
        """Note that the user's file or folder ``path`` is used: a change of its content changes what is computed."""
        try:
            if path.is_dir():
                files = sorted((file.name, file.stat()) for file in path.iterdir())
                rows = [(name, state.st_size, state.st_mtime_ns) for name, state in files]
                self.used[str(path)] = hashlib.sha256(repr(rows).encode()).hexdigest()
            else:
                with path.open("rb") as file:
                    self.used[str(path)] = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            pass  # who opens it says what is wrong with it
