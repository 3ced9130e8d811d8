"""Networks of torch compiled by ``torch.compile``: Inductor writes C++ for the CPU, one program for each input shape.

A program takes a minute to compile, and seconds to be found in the cache by the next process; so only a shape that
keeps coming is worth one, all others run eagerly. It is used only once it agreed with the eager network, see
:mod:`visionkit.backends.agreement`.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionkit.backends.agreement import TOLERANCE, Verdict, compared, key, photos, settled, stand_in
from visionkit.backends.choice import OWN
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings
from visionkit.backends.torchnet import TorchModel
from visionkit.data import Image
from visionkit.data.device import fetched, is_gpu
from visionkit.lazy import cv2, torch
from visionkit.weights.entry import Entry
from visionkit.weights.store import default_cache_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATIENCE = 8
"""Calls of one shape in a row before it is compiled."""
MOST = 2
"""Shapes that are compiled."""

log = logging.getLogger(__name__)


class CompiledModel:
    """A network of torch, compiled for the shapes that keep coming. Several threads may call it.

    Args:
        model: the eager network.
        patience: how often a shape comes in a row before it is compiled. At least once, so that what a head keeps of
            its last input is there.
        strict: a shape that cannot be compiled is an error, instead of a call of the eager network.
    """

    backend = "compile"
    note = ""

    def __init__(self, model: TorchModel, patience: int = PATIENCE, *, strict: bool = False) -> None:
        self.entry, self.spec, self.device, self.output = model.entry, model.spec, model.device, model.output
        self.streams = model.streams
        self._model, self._patience, self._strict = model, patience, strict
        self._call = torch.compile(model.call, dynamic=False)
        self._rows: dict[int, tuple[tuple[int, ...], int]] = {}  # of each copy: its last shape, how often in a row
        self._shapes: dict[tuple[int, ...], bool] = {}
        self._lock = Lock()

    def infer(self, batch: Any) -> tuple[NDArray[Any], ...]:
        return fetched(self._model.forward(batch, self._called))

    def _called(self, module: Any, pictures: Any) -> tuple[Any, ...]:
        shape = tuple(pictures.shape)
        if not self._keeps_coming(module, shape):
            return self._model.call(module, pictures)
        try:
            return self._call(module, pictures)
        except RuntimeError as error:  # all that torch's compilers raise
            reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]  # what follows is advice
            if self._strict:
                raise RuntimeError(reason) from error
            self._shapes[shape] = False
            log.warning("%s: cannot be compiled for %s: %s", self.entry.name, shape, reason)
            return self._model.call(module, pictures)

    def _keeps_coming(self, module: Any, shape: tuple[int, ...]) -> bool:
        with self._lock:
            last, row = self._rows.get(id(module), ((), 0))
            row = row + 1 if last == shape else 0
            self._rows[id(module)] = shape, row
            if row >= self._patience and shape not in self._shapes and len(self._shapes) < MOST:
                self._shapes[shape] = True
            return row > 0 and self._shapes.get(shape, False)

    def close(self) -> None:
        self._model.close()


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """The network of ``entry`` compiled, or as its own backend runs it, with a note that says why.

    Raises:
        WeightsError: the files hold no such network.
    """
    own = load_model(entry, files, replace(settings, backend=OWN))
    reason = _objection(own, settings)
    if reason or not isinstance(own, TorchModel):
        return stand_in(own, "torch.compile", reason)
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it warns that there is no GPU
    folder = default_cache_dir() / "compile"
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(folder / "inductor"))
    note = folder / f"{entry.name}-{key(entry, ['torch', entry.loader.partition(':')[0]], settings.precision)}.json"
    verdict = settled(note, lambda: _examined(own))
    return stand_in(own, "torch.compile", verdict.refused) if verdict.refused else CompiledModel(own)


def _objection(own: Model, settings: Settings) -> str:
    if not isinstance(own, TorchModel):
        return "is for networks of torch"
    if own.traceable_module is None:
        return "cannot hold what depends on how many objects it finds"
    if is_gpu(settings.device):
        return "is for the CPU here (a GPU has graphs and tensorrt)"
    compiler = os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    return "" if shutil.which(compiler) else f"needs a C++ compiler, and there is no {compiler} on this machine"


def _examined(own: TorchModel) -> Verdict:
    log.warning("%s: torch.compile takes a minute or two, the first time", own.entry.name)
    return compared(own, lambda: CompiledModel(own, patience=1, strict=True), _wide, TOLERANCE)


def _wide() -> Iterator[Image]:
    """Real photos in the shape that most videos have; the first is for the eager call that comes before."""
    for photo in (*photos(), *photos()):
        yield Image(cv2.resize(photo.bgr(), (1280, 720), interpolation=cv2.INTER_AREA))
