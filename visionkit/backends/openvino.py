"""Networks run by OpenVINO: on Intel's and other CPUs the fastest engine, once its answers are found to agree.

ONNX files are read as they are. Networks of torch are converted the first time, and then neither torch nor the package
they come from is imported to run them. How it is found out whether its answers agree:
:mod:`visionkit.backends.agreement`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends import int8
from visionkit.backends.agreement import TOLERANCE, Verdict, compared, key, settled, stand_in
from visionkit.backends.choice import OWN
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings, preprocessing_of
from visionkit.backends.ovgraph import Compiled, convert
from visionkit.errors import WeightsError
from visionkit.lazy import load, np
from visionkit.weights.entry import Entry
from visionkit.weights.store import default_cache_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.data import Image


class OpenVinoModel:
    """A compiled OpenVINO network. Several threads may call it: each call has a request of its own."""

    backend = "openvino"
    device = "cpu"
    note = ""

    def __init__(self, entry: Entry, compiled: Compiled, output: str = "") -> None:
        self.entry = entry
        self.spec = preprocessing_of(entry)
        self.streams = compiled.streams
        self.output = output
        self._compiled: Any = compiled

    def infer(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        parts = [batch[i : i + 1] for i in range(len(batch))] if self._compiled.fixed_batch else [batch]
        outputs = [self._compiled.run(part) for part in parts]
        return tuple(
            columns[0] if len(parts) == 1 else np.concatenate(columns) for columns in zip(*outputs, strict=True)
        )

    def close(self) -> None:
        self._compiled = None


def load_openvino(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """The network of ``entry`` in OpenVINO; in the entry's own backend where the two do not agree.

    Raises:
        WeightsError: the files hold no such network.
        MissingExtraError: OpenVINO is not installed.
    """
    load("openvino")
    if entry.loader == "openvino":
        entry = entry.model_copy(update={"loader": "onnx"})
    own = replace(settings, backend=OWN, precision="fp32" if settings.precision == "int8" else settings.precision)
    note = _folder() / f"{_key(entry)}.json"
    graph = files[0] if entry.loader == "onnx" else note.with_suffix(".xml")
    verdict = settled(note, lambda: _examined(entry, files, graph, settings, own), graph)
    if verdict.refused:
        return stand_in(load_model(entry, files, own), "OpenVINO", verdict.refused)
    if settings.precision == "int8":
        return _int8(entry, graph, note, settings, verdict.output)
    return OpenVinoModel(entry, _compiled(graph, entry, settings), verdict.output)


def _int8(entry: Entry, graph: Path, note: Path, settings: Settings, output: str) -> OpenVinoModel:
    """The network in int8 where that was calibrated and found good enough, otherwise in fp32; its note says which."""
    verdict = int8.verdict_of(note)
    graph = int8.graph_of(note) if verdict.accepted else graph
    model = OpenVinoModel(entry, _compiled(graph, entry, settings), output)
    model.note = f"{entry.name}: {verdict.text}"
    return model


def make_int8(entry: Entry, files: tuple[Path, ...], pictures: Iterable[Image]) -> tuple[Model, Path]:
    """An int8 network from the ranges that values have on ``pictures``, not yet accepted, and the note to write.

    Raises:
        WeightsError: OpenVINO cannot run the network at all, or it cannot be quantised.
        MissingExtraError: NNCF or OpenVINO is not installed.
    """
    reference = load_openvino(entry, files, Settings(backend="openvino"))
    if not isinstance(reference, OpenVinoModel):
        raise WeightsError(f"{reference.note}, so there is no int8")
    note = _folder() / f"{_key(entry)}.json"
    graph = files[0] if entry.loader == "onnx" else note.with_suffix(".xml")
    try:
        int8.quantise(graph, reference.spec, pictures, int8.graph_of(note))
    except RuntimeError as error:
        raise WeightsError(f"{entry.name}: cannot be quantised: {str(error).splitlines()[-1][:200]}") from error
    compiled = _compiled(int8.graph_of(note), entry, Settings())
    return OpenVinoModel(entry, compiled, reference.output), note


def _compiled(graph: Path, entry: Entry, settings: Settings) -> Compiled:
    return Compiled(graph, preprocessing_of(entry), settings, _folder())


def _examined(entry: Entry, files: tuple[Path, ...], graph: Path, settings: Settings, own: Settings) -> Verdict:
    """The verdict on the graph, which is converted if need be."""
    reference = load_model(entry, files, own)

    def build() -> Model:
        if graph.suffix == ".xml":
            _convert(reference, graph)
        return OpenVinoModel(entry, _compiled(graph, entry, settings))

    try:
        return compared(reference, build)
    finally:
        reference.close()


def _convert(reference: Model, graph: Path) -> None:
    module = getattr(reference, "traceable", None)
    if module is None:
        raise TypeError("it does not take pictures as one tensor")
    new = graph.with_name(f"{graph.stem}-{os.getpid()}.xml")
    convert(module, new)
    new.with_suffix(".bin").replace(graph.with_suffix(".bin"))
    new.replace(graph)  # last: it says that both are there


def _folder() -> Path:
    """Where converted and compiled networks and verdicts are kept."""
    return default_cache_dir() / "openvino"


def _key(entry: Entry) -> str:
    """Of the weights, how they are built and fed, and the versions of all that takes part."""
    package = entry.loader.partition(":")[0]
    return key(entry, ["openvino", *(["onnxruntime"] if package == "onnx" else ["torch", package])], TOLERANCE)
