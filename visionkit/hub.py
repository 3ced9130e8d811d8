"""Where the stages of a run get their networks and files: one cache, one store, one device."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionkit.runtime.context import RunSettings


class ModelHub:
    """Makes stage contexts; networks and the weights store behind them are set up when first asked for.

    ``streams``: how many calls of a network come at the same time, where that is a CPU's.
    """

    def __init__(
        self,
        settings: RunSettings,
        trust: bool = False,
        progress: Callable[[str, int, int], None] | None = None,
        streams: int = 1,
    ) -> None:
        self._settings = settings
        self._streams = streams
        self._trust = trust
        self._progress = progress
        self._lock = threading.Lock()
        self._cache: Any = None
        self._device: str | None = None

    def context(self, stage_id: str, note: Callable[[str], None]) -> Any:
        """The context of one stage."""
        from visionkit.runtime.context import Context

        return Context(stage_id, self, self._settings.seed, note)

    @property
    def device(self) -> str:
        """The device networks run on; "auto" is settled when somebody asks."""
        from visionkit.data.device import check
        from visionkit.runtime.context import choose_device

        if self._device is None:
            device = choose_device(self._settings.device)
            check(device)
            self._device = device
        return self._device

    def model(self, name: str, task: str, alone: bool = False) -> Any:
        """A loaded network, shared by all that ask for it; ``alone``: for one call at a time, on all cores."""
        models = self._models()
        return models.model(name, task, replace(models.settings, streams=1, threads=0) if alone else None)

    def file(self, name: str, part: str | None = None) -> Path:
        """A verified file of a catalogue entry."""
        return Path(self._models().file(name, part))

    def release(self, model: Any) -> None:
        """A stage that got ``model`` has no use for it any more."""
        if self._cache is not None:
            self._cache.release(model)

    def close(self) -> None:
        if self._cache is not None:
            self._cache.close()

    def _models(self) -> Any:
        with self._lock:
            if self._cache is None:
                from visionkit.backends import ModelCache, Settings
                from visionkit.runtime.context import cores
                from visionkit.weights import Catalogue, Store
                from visionkit.weights.store import silent

                precision = self._settings.precision
                settings = Settings(self.device, "fp32" if precision == "auto" else precision, self._settings.backend)
                settings = settings.side_by_side(self._streams, cores())
                options: dict[str, Any] = {"trust": self._trust}
                if self._settings.offline or os.environ.get("VISIONKIT_OFFLINE"):
                    options["offline"] = True
                store = Store(**options)
                self._cache = ModelCache(Catalogue.load(), store, settings, progress=self._progress or silent)
            return self._cache
