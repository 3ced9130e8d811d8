"""Networks that OpenCV's own engine runs: TensorFlow graphs, ONNX, TFLite. Needs nothing beyond the core."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from visionkit.backends.model import Settings, preprocessing_of
from visionkit.backends.preprocess import normalised
from visionkit.errors import WeightsError
from visionkit.lazy import cv2, np
from visionkit.weights.entry import Entry

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cv2Model:
    """A ``cv2.dnn`` network, on the CPU.

    Args:
        entry: its entry in the catalogue.
        nets: it keeps its input inside, so there is one for each of the calls at a time.
        one_by_one: pictures of a batch go in one after the other: a graph may take one at a time.
    """

    backend = "cv2.dnn"
    device = "cpu"
    output = ""
    note = ""

    def __init__(self, entry: Entry, nets: Sequence[Any], one_by_one: bool = False) -> None:
        self.entry = entry
        self.spec = preprocessing_of(entry)
        self.streams = len(nets)
        self._one_by_one = one_by_one
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for net in nets:
            self._idle.put(net)
        self._outputs = tuple(entry.settings.get("outputs") or nets[0].getUnconnectedOutLayersNames())

    def infer(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        blob = normalised(batch, self.spec)
        parts = [blob[i : i + 1] for i in range(len(blob))] if self._one_by_one else [blob]
        net = self._idle.get()
        try:
            outputs = [self._called(net, part) for part in parts]
        finally:
            self._idle.put(net)
        return tuple(column[0] if len(parts) == 1 else np.concatenate(column) for column in zip(*outputs, strict=True))

    def _called(self, net: Any, blob: NDArray[np.float32]) -> list[NDArray[Any]]:
        net.setInput(blob)
        return [np.array(out) for out in net.forward(self._outputs)]

    def close(self) -> None:
        while not self._idle.empty():
            self._idle.get()


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Cv2Model:
    """A model from one ONNX or TFLite file, or from a TensorFlow graph: a .pb file, with or without its .pbtxt.

    Raises:
        WeightsError: OpenCV cannot read the file.
    """
    graph, *config = sorted(files, key=lambda path: path.suffix == ".pbtxt")
    try:
        return Cv2Model(entry, [_read(graph, config) for _ in range(settings.streams)])
    except cv2.error as error:
        raise WeightsError(f"{entry.name}: OpenCV cannot read {graph.name}: {error}") from error


def read_onnx(entry: Entry, path: Path, settings: Settings) -> Cv2Model:
    """A model from an ONNX file that comes for another backend.

    Raises:
        WeightsError: OpenCV cannot read the file.
    """
    try:
        return Cv2Model(entry, [cv2.dnn.readNet(str(path)) for _ in range(settings.streams)], one_by_one=True)
    except cv2.error as error:
        raise WeightsError(f"{entry.name}: OpenCV cannot read {path.name}: {error}") from error


def _read(graph: Path, config: Sequence[Path]) -> Any:
    if graph.suffix != ".pb":
        return cv2.dnn.readNet(str(graph))
    read: Any = cv2.dnn.readNetFromTensorflow  # its type does not know that the engine is optional
    return read(str(graph), str(config[0]) if config else "", *_engine())


def _engine() -> tuple[int, ...]:
    """OpenCV 5 has two engines. The older takes a seventh less time for an SSD, its outputs are equal within 1e-5."""
    return (cv2.dnn.ENGINE_CLASSIC,) if int(cv2.__version__.partition(".")[0]) >= 5 else ()
