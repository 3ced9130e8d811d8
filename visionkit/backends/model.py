"""What every backend gives: a loaded network that takes batches of pictures and returns arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from visionkit.errors import WeightsError
from visionkit.frozen import Frozen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.lazy import np
    from visionkit.weights.entry import Entry, Preprocessing


class Model(Protocol):
    """A network with its preprocessing and its class names. Safe to call from several threads at once.

    Attributes:
        entry: its entry in the weights catalogue: name, classes, licence.
        spec: what :func:`visionkit.backends.fit` must make of a picture.
        device: where it runs: "cpu", "cuda:0".
        backend: what runs it: "onnxruntime", "torch", "cv2.dnn", "openvino".
        output: how to read its outputs, where that shows in the file; "" where the entry or the loader says.
        note: what its user should know of how it is run; "" if there is nothing to say.
        streams: how many calls at a time it is set up for; more wait for one another.
    """

    entry: Entry
    spec: Preprocessing
    device: str
    backend: str
    output: str
    note: str
    streams: int

    def infer(self, batch: NDArray[np.uint8] | Any) -> tuple[NDArray[Any], ...]:
        """The network's own outputs for a batch (N, H, W, C) uint8 of pictures made ready by ``fit_batch``.

        One that runs on a GPU also takes a tensor (N, C, H, W) uint8 there, and gives tensors in ``forward``.
        """

    def close(self) -> None:
        """Give memory back; the model is not called afterwards."""


class Settings(Frozen):
    """How to load a network.

    Attributes:
        device: "cpu", "cuda", "cuda:1", "mps".
        precision: "fp32", "fp16", "bf16" or "int8"; a backend that has no such thing on the device stays with fp32.
        backend: "auto" (the fastest that was measured), "own" (what the entry's loader names), or one to run it in.
        threads: CPU threads one call may use; 0 leaves it to the library.
        streams: calls that will come at the same time, from threads of their own. On a CPU two calls with a thread each
            are done sooner than two with both cores one after the other: nobody waits for anybody.
        trust: pickles that no catalogue knows may run (``--trust-weights``).
    """

    device: str = "cpu"
    precision: str = "fp32"
    backend: str = "auto"
    threads: int = 0
    streams: int = 1
    trust: bool = False

    def side_by_side(self, streams: int, cores: int) -> Settings:
        """The same for so many calls at a time, which share the cores out where a CPU runs them."""
        if self.device != "cpu" or streams == 1:
            return self
        return replace(self, streams=streams, threads=max(1, cores // streams))


Loader = Callable[["Entry", "tuple[Path, ...]", Settings], Model]
"""Builds a model from an entry and the verified local paths of its files, in the entry's order."""


def preprocessing_of(entry: Entry) -> Preprocessing:
    """How to feed the network of ``entry``.

    Raises:
        WeightsError: the entry does not say.
    """
    if entry.preprocessing is None:
        raise WeightsError(f"{entry.name}: the entry has no preprocessing, so its network cannot be fed")
    return entry.preprocessing
