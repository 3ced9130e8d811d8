"""The names of all stages and outputs, and where their classes live. Listing imports nothing heavy.

Ours are declared by each family package in ``visionkit/stages/<family>/__init__.py`` as
``STAGES = {"edges.canny": "canny:Canny"}``; plugins by the entry points ``visionkit.stages``
(``my.blur = "my_package.blur:Blur"``). Outputs likewise: ``visionkit/media/sinks`` and ``visionkit.sinks``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from typing import Any

from visionkit.errors import VisionkitError, did_you_mean

STAGE_PACKAGE = "visionkit.stages"
SINK_PACKAGE = "visionkit.media.sinks"


class Catalogue:
    """Names → classes, each imported when first asked for.

    Args:
        ours: name → ``module:Class`` of what comes with visionkit.
        noun: what an entry is called in messages.
        group: the entry-point group of plugins; installed packages are searched only when ``ours`` lacks a name.
    """

    def __init__(self, ours: Mapping[str, str], noun: str, group: str) -> None:
        self._ours = dict(ours)
        self._group = group
        self._all: dict[str, str] | None = None
        self._loaded: dict[str, Any] = {}
        self.noun = noun

    @property
    def targets(self) -> dict[str, str]:
        """All names, plugins' too, sorted."""
        if self._all is None:
            self._all = dict(sorted({**_plugins(self._group), **self._ours}.items()))
        return self._all

    def __contains__(self, name: str) -> bool:
        return name in self._ours or name in self.targets

    def names(self) -> list[str]:
        return list(self.targets)

    def get(self, name: str) -> Any:
        """The class called ``name``.

        Raises:
            VisionkitError: there is none; the help has the nearest names.
        """
        if name not in self:
            help_ = did_you_mean(name, self.targets) or f"visionkit {self.noun}s lists all of them"
            raise VisionkitError(f"there is no {self.noun} called {name!r}", help=help_)
        if name not in self._loaded:
            target = self._ours.get(name) or self.targets[name]
            module, _, attribute = target.partition(":")
            self._loaded[name] = getattr(importlib.import_module(module), attribute)
        return self._loaded[name]


@cache
def stages() -> Catalogue:
    """Every stage there is: ours and those of installed plugins."""
    return Catalogue(_family_targets(), "stage", "visionkit.stages")


@cache
def sinks() -> Catalogue:
    """Every kind of output there is."""
    package = importlib.import_module(SINK_PACKAGE)
    ours = {name: f"{SINK_PACKAGE}.{target}" for name, target in package.SINKS.items()}
    return Catalogue(ours, "output", "visionkit.sinks")


def _family_targets() -> dict[str, str]:
    package = importlib.import_module(STAGE_PACKAGE)
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(package.__path__):
        family = importlib.import_module(f"{STAGE_PACKAGE}.{module.name}")
        declared: Mapping[str, str] = getattr(family, "STAGES", {})
        found |= {name: f"{STAGE_PACKAGE}.{module.name}.{target}" for name, target in declared.items()}
    return found


def _plugins(group: str) -> dict[str, str]:
    return {point.name: point.value for point in _entry_points().select(group=group)}


@cache
def _entry_points() -> Any:
    """All entry points of installed packages: finding them takes tens of milliseconds, so once."""
    from importlib.metadata import entry_points

    return entry_points()
