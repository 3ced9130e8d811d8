"""Networks of torch as CUDA graphs: the kernels of a call are recorded once for each shape, then launched as one.

A small network's eager call is a few hundred launches of microseconds each, during which a GPU waits for Python.
Batches are filled up to the next power of two, so that few shapes are recorded. Every recording is compared with the
eager call it was made from before it is used; what differs, or cannot be recorded, runs eagerly and the run says so.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionkit.backends.agreement import TOLERANCE, compared, stand_in
from visionkit.backends.choice import OWN
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings
from visionkit.backends.torchnet import TorchModel
from visionkit.data.device import Recorded, fetched, is_gpu, sent
from visionkit.lazy import torch
from visionkit.weights.entry import Entry

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST = 32
"""Shapes that are recorded; more run eagerly."""

log = logging.getLogger(__name__)


class GraphedModel:
    """A network of torch whose calls are replayed. Several threads may call it; replays take turns."""

    backend = "graphs"
    note = ""
    streams = 1

    def __init__(self, model: TorchModel) -> None:
        self.entry, self.spec, self.device, self.output = model.entry, model.spec, model.device, model.output
        self._model = model
        self._calls: dict[tuple[int, ...], _Call | None] = {}
        self._lock = Lock()

    def infer(self, batch: Any) -> tuple[NDArray[Any], ...]:
        return fetched(self.forward(batch))

    def forward(self, batch: Any) -> tuple[Any, ...]:
        """What :meth:`infer` gives, as tensors that stay on the device."""
        batch = sent(batch, self.device)
        shape = (1 << (len(batch) - 1).bit_length(), *batch.shape[1:])
        with self._lock, torch.inference_mode():
            if shape not in self._calls and len(self._calls) < MOST:
                self._calls[shape] = self._recorded(shape, batch)
            call = self._calls.get(shape)
            return self._model.forward(batch) if call is None else call(batch)

    def _recorded(self, shape: tuple[int, ...], batch: Any) -> _Call | None:
        """The call for batches of a shape; None if it is not to be trusted."""
        try:
            call = _Call(self._model, shape, batch)
        except RuntimeError as error:
            reason = f"cannot be recorded ({str(error).splitlines()[0][:200]})"
        else:
            if call.difference <= TOLERANCE:
                return call
            reason = f"differs by {call.difference:.2g} of the largest output"
        log.warning("%s: the CUDA graph for %s %s: it runs eagerly", self.entry.name, shape, reason)
        return None

    def close(self) -> None:
        self._calls.clear()
        self._model.close()


class _Call:
    """One recorded call and the buffers it works in.

    Attributes:
        difference: of its outputs from the eager ones on the batch it was recorded with, the largest, as a share of
            the largest value of that output.
    """

    def __init__(self, model: TorchModel, shape: tuple[int, ...], batch: Any) -> None:
        self._input = torch.zeros(shape, dtype=torch.uint8, device=batch.device)
        self._input[: len(batch)] = batch
        self._graph = Recorded(lambda: model.forward(self._input), self._input.device)
        parts = model.module.modules()  # what a head keeps of its last input would go when another shape comes
        self._caches = [value for part in parts for value in vars(part).values() if isinstance(value, torch.Tensor)]
        self._graph.replay()
        self.difference = max(_gap(*pair) for pair in zip(self._graph.outputs, self._graph.expected, strict=True))
        self._graph.expected = ()

    def __call__(self, batch: Any) -> tuple[Any, ...]:
        """Outputs that are the caller's own."""
        count = len(batch)
        self._graph.wait()
        self._input[:count] = batch
        self._graph.replay()
        outputs = tuple(output[:count].clone() for output in self._graph.outputs)
        self._graph.done()
        return outputs


def _gap(ours: Any, theirs: Any) -> float:
    """As :func:`~visionkit.backends.agreement.difference`; what is no number is infinitely far away."""
    gap = float((ours.double() - theirs.double()).abs().max() / theirs.double().abs().max().clamp(min=1e-6))
    return gap if gap == gap else float("inf")


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """The network of ``entry`` as CUDA graphs, or as its own backend runs it, with a note that says why.

    Raises:
        WeightsError: the files hold no such network.
    """
    own = load_model(entry, files, replace(settings, backend=OWN))
    reason = _objection(own, settings)
    if not reason and isinstance(own, TorchModel):
        model = GraphedModel(own)
        verdict = compared(own, lambda: model)
        return stand_in(own, "its CUDA graph", verdict.refused) if verdict.refused else model
    return stand_in(own, "CUDA graphs", reason)


def _objection(own: Model, settings: Settings) -> str:
    if not is_gpu(settings.device):
        return "need an NVIDIA GPU (device: cuda)"
    if not isinstance(own, TorchModel):
        return "are for networks of torch"
    return "cannot hold what depends on how many objects it finds" if own.traceable_module is None else ""
