"""The catalogue of weights: names at the price of a directory listing, entries read when asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from visionkit.errors import WeightsError, did_you_mean
from visionkit.frozen import Frozen
from visionkit.resources import resource_dir
from visionkit.weights.entry import Entry

UNKNOWN, BROKEN_ENTRY = "VK311", "VK319"


class Catalogue:
    """Entries of one or more folders laid out as ``<task>/<name>.yaml``, with shared lists in ``classes/<list>.txt``.

    ``Catalogue.load()`` has what ships with visionkit and what the user imported. An import never hides a shipped
    entry: the first folder wins.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self.folders = tuple(folders)

    @classmethod
    def load(cls, user_folder: Path | None = None) -> Catalogue:
        """The shipped catalogue plus ``user_folder`` (by default :func:`user_weights_dir`)."""
        return cls((resource_dir("weights"), user_folder or user_weights_dir()))

    @cached_property
    def _paths(self) -> dict[str, Path]:
        paths: dict[str, Path] = {}
        for folder in self.folders:
            for path in sorted(folder.glob("*/*.yaml")):
                paths.setdefault(path.stem, path)
        return paths

    def names(self, task: str | None = None) -> tuple[str, ...]:
        """All names, or those for ``task``, sorted. Reads no entry."""
        return tuple(sorted(name for name, path in self._paths.items() if task in (None, path.parent.name)))

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def get(self, name: str) -> Entry:
        """The entry called ``name``.

        Raises:
            WeightsError: VK311 there is none (with the nearest names), VK319 its file is malformed.
        """
        path = self._paths.get(name)
        if path is None:
            raise WeightsError(
                f"no weights are called {name!r}",
                help=did_you_mean(name, self._paths) or "'visionkit weights list' shows all",
                code=UNKNOWN,
            )
        return self.make(read_yaml(path), path)

    def entries(self, task: str | None = None) -> tuple[Entry, ...]:
        """All entries, or those for ``task``, by name. Reads each file."""
        return tuple(self.get(name) for name in self.names(task))

    def trusts(self, sha256: str) -> bool:
        """Whether a file with this full SHA-256 belongs to a trusted entry: then it may be unpickled."""
        candidates = (name for name, path in self._paths.items() if sha256 in path.read_text("utf-8"))
        return any(
            entry.trusted and any(s.sha256 == sha256 for s in entry.files) for entry in map(self.get, candidates)
        )

    def make(self, values: dict[str, Any], path: Path) -> Entry:
        """The entry whose YAML file ``path`` holds ``values``.

        Raises:
            WeightsError: VK319 the values do not make an entry.
        """
        try:
            if isinstance(values.get("classes"), str):
                values = {**values, "class_list": values["classes"], "classes": self._class_list(values["classes"])}
            return Entry(**{**values, "name": path.stem, "task": path.parent.name, "folder": path.parent})
        except (ValidationError, TypeError, ValueError) as error:
            raise WeightsError(f"{path} is not a valid entry: {error}", code=BROKEN_ENTRY) from error

    def _class_list(self, name: str) -> tuple[str, ...]:
        for folder in self.folders:
            path = folder / "classes" / f"{name}.txt"
            if path.is_file():
                return tuple(path.read_text("utf-8").splitlines())
        raise ValueError(f"there is no class list classes/{name}.txt")


class LicenceSummary(Frozen):
    """The entries that come under one licence."""

    licence: str
    copyleft: bool
    names: tuple[str, ...]


def licences(entries: Iterable[Entry]) -> tuple[LicenceSummary, ...]:
    """The licences of ``entries``, copyleft ones first, then by name."""
    groups: dict[tuple[bool, str], set[str]] = {}
    for entry in entries:
        groups.setdefault((not entry.copyleft, entry.licence), set()).add(entry.name)
    return tuple(
        LicenceSummary(licence, not permissive, tuple(sorted(names)))
        for (permissive, licence), names in sorted(groups.items())
    )


def user_weights_dir() -> Path:
    """Where the entries a user imported live: ``$VISIONKIT_CONFIG/weights``, else the system's configuration folder."""
    if configured := os.environ.get("VISIONKIT_CONFIG"):
        return Path(configured).expanduser() / "weights"
    import platformdirs

    return platformdirs.user_config_path("visionkit") / "weights"


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file of our own or of the user's import.

    Raises:
        WeightsError: VK319 the file is not YAML, or not a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        values = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except YAMLError as error:
        raise WeightsError(f"{path} is not valid YAML: {error}", code=BROKEN_ENTRY) from error
    if not isinstance(values, dict):
        raise WeightsError(f"{path} must hold a mapping", code=BROKEN_ENTRY)
    return values
