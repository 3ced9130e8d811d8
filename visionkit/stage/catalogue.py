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
    """Names → classes, each imported when first asked for."""

    def __init__(self, targets: Mapping[str, str], noun: str) -> None:
        self.targets = dict(sorted(targets.items()))
        self.noun = noun
        self._loaded: dict[str, Any] = {}

    def __contains__(self, name: str) -> bool:
        return name in self.targets

    def names(self) -> list[str]:
        return list(self.targets)

    def get(self, name: str) -> Any:
        """The class called ``name``.

        Raises:
            VisionkitError: there is none; the help has the nearest names.
        """
        if name not in self.targets:
            help_ = did_you_mean(name, self.targets) or f"visionkit {self.noun}s lists all of them"
            raise VisionkitError(f"there is no {self.noun} called {name!r}", help=help_)
        if name not in self._loaded:
            module, _, attribute = self.targets[name].partition(":")
            self._loaded[name] = getattr(importlib.import_module(module), attribute)
        return self._loaded[name]


@cache
def stages() -> Catalogue:
    """Every stage there is: ours and those of installed plugins."""
    return Catalogue({**_family_targets(), **_plugins("visionkit.stages")}, "stage")


@cache
def sinks() -> Catalogue:
    """Every kind of output there is."""
    package = importlib.import_module(SINK_PACKAGE)
    ours = {name: f"{SINK_PACKAGE}.{target}" for name, target in package.SINKS.items()}
    return Catalogue({**ours, **_plugins("visionkit.sinks")}, "output")


def _family_targets() -> dict[str, str]:
    package = importlib.import_module(STAGE_PACKAGE)
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(package.__path__):
        family = importlib.import_module(f"{STAGE_PACKAGE}.{module.name}")
        declared: Mapping[str, str] = getattr(family, "STAGES", {})
        found |= {name: f"{STAGE_PACKAGE}.{module.name}.{target}" for name, target in declared.items()}
    return found


def _plugins(group: str) -> dict[str, str]:
    from importlib.metadata import entry_points

    return {point.name: point.value for point in entry_points(group=group)}
