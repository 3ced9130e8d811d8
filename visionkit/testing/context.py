"""The hand that a checked stage is given when it is opened."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any


class CountingContext:
    """A :class:`~visionkit.stage.context.StageContext` that counts how often each network is called.

    Args:
        models: where networks and files come from, with ``model(name, task)`` and ``file(name, part)``; None: the
            weights catalogue and the store of this machine.
        stage_id: the stage's id.
        device: see :class:`~visionkit.stage.context.StageContext`.
        seed: the run's seed.
    """

    def __init__(self, models: Any = None, stage_id: str = "stage", device: str = "cpu", seed: int = 0) -> None:
        self._models = models
        self.stage_id = stage_id
        self.device = device
        self.seed = seed
        self.calls: Counter[str] = Counter()
        self.reports: list[str] = []

    def model(self, name: str, task: str) -> Any:
        """The network, counting its calls in ``calls[name]``."""
        return _Counted(self._source().model(name, task), self.calls, name)

    def file(self, name: str, part: str | None = None) -> Path:
        """See :class:`~visionkit.stage.context.StageContext`."""
        found: Path = self._source().file(name, part)
        return found

    def report(self, message: str) -> None:
        """Keeps the message in ``reports``."""
        self.reports.append(message)

    def _source(self) -> Any:
        if self._models is None:
            from visionkit.backends import ModelCache
            from visionkit.weights import Catalogue, Store

            self._models = ModelCache(Catalogue.load(), Store())
        return self._models


class _Counted:
    """A network whose ``infer`` is counted; all else is the network's own."""

    def __init__(self, model: Any, calls: Counter[str], name: str) -> None:
        self._model = model
        self._calls = calls
        self._name = name

    def infer(self, *args: Any, **kwargs: Any) -> Any:
        self._calls[self._name] += 1
        return self._model.infer(*args, **kwargs)

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self._model, attribute)
