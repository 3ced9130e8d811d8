"""Loaded networks, shared by every stage of a run that asks for the same one."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from visionkit.backends.files import entry_of_file, is_file
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings
from visionkit.errors import WeightsError
from visionkit.weights.catalogue import Catalogue
from visionkit.weights.store import Progress, Store, silent

Key = tuple[str, str, Settings]


@dataclass
class _Slot:
    """One network: ``lock`` is held while it loads, ``users`` counts who has it."""

    lock: Lock = field(default_factory=Lock)
    model: Model | None = None
    users: int = 0


class ModelCache:
    """Loads each network once per (weights' hash, device, precision, backend) and hands it to whoever asks.

    Networks nobody uses any more stay, up to ``keep`` of them, so that re-opening a stage costs milliseconds.
    All methods may be called from any thread.

    Args:
        catalogue: where names are looked up.
        store: where files come from.
        settings: device, precision, backend and threads for callers that do not say otherwise.
        keep: how many unused networks stay loaded.
        progress: told of downloads: file name, bytes done, bytes in all (0: not known).
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        settings: Settings | None = None,
        keep: int = 4,
        progress: Progress = silent,
    ) -> None:
        self.catalogue = catalogue
        self.store = store
        self.settings = settings or Settings()
        self.keep = keep
        self.progress = progress
        self._slots: OrderedDict[Key, _Slot] = OrderedDict()
        self._lock = Lock()

    def model(self, name: str, task: str | None = None, settings: Settings | None = None) -> Model:
        """The network called ``name``, or in the file of that path, loaded if need be. :meth:`release` gives it back.

        Raises:
            WeightsError: there is no such entry, it is for another task, or its files cannot be had or loaded.
            MissingExtraError: the package that runs it is not installed.
        """
        use_file = name not in self.catalogue and is_file(name)
        entry = entry_of_file(Path(name), task or "detect") if use_file else self.catalogue.get(name)
        if task is not None and entry.task != task:
            names = ", ".join(self.catalogue.names(task))
            raise WeightsError(f"{name!r} is for {entry.task}, not for {task}", help=f"weights for {task}: {names}")
        settings = replace(settings or self.settings, trust=self.store.trust)
        key = (f"{entry.name}:{entry.digest}", entry.loader, settings)
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            slot.users += 1
        try:
            with slot.lock:
                if slot.model is None:
                    slot.model = load_model(entry, self.store.pull(entry, self.progress), settings)
                return slot.model
        except BaseException:
            self._leave(slot)
            raise

    def file(self, name: str, part: str | None = None) -> Path:
        """The verified local path of a file of entry ``name``, its first one if ``part`` is None.

        Raises:
            WeightsError: there is no such entry or file, or it cannot be had.
        """
        entry = self.catalogue.get(name)
        if part is not None and part not in [spec.name for spec in entry.files]:
            have = ", ".join(spec.name for spec in entry.files)
            raise WeightsError(f"{name!r} has no file {part!r}", help=f"it has {have}")
        return self.store.path(entry, part, self.progress)

    def release(self, model: Model) -> None:
        """The caller of :meth:`model` has no use for it any more."""
        with self._lock:
            slot = next((slot for slot in self._slots.values() if slot.model is model), None)
        if slot is not None:
            self._leave(slot)

    def close(self) -> None:
        """Close every network, used or not: the run is over."""
        with self._lock:
            slots, self._slots = list(self._slots.values()), OrderedDict()
        for slot in slots:
            if slot.model is not None:
                slot.model.close()

    def _leave(self, slot: _Slot) -> None:
        with self._lock:
            slot.users -= 1
            idle = [key for key, other in self._slots.items() if other.users == 0]
            failed = [key for key in idle if self._slots[key].model is None]
            surplus = [key for key in idle if key not in failed][: max(0, len(idle) - len(failed) - self.keep)]
            gone = [self._slots.pop(key).model for key in [*failed, *surplus]]
        for model in gone:
            if model is not None:
                model.close()
