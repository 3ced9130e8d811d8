"""Networks that OpenCV's own engine runs: TensorFlow graphs, ONNX, TFLite. Needs nothing beyond the core."""

from __future__ import annotations

from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionkit.backends.model import Settings, preprocessing_of
from visionkit.backends.preprocess import normalised
from visionkit.errors import WeightsError
from visionkit.lazy import cv2, np
from visionkit.weights.entry import Entry

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Cv2Model:
    """A ``cv2.dnn`` network, on the CPU. It keeps its input inside, so one call runs at a time."""

    backend = "cv2.dnn"
    device = "cpu"
    output = ""
    note = ""

    def __init__(self, entry: Entry, net: Any) -> None:
        self.entry = entry
        self.spec = preprocessing_of(entry)
        self._net = net
        self._outputs = tuple(entry.settings.get("outputs") or net.getUnconnectedOutLayersNames())
        self._lock = Lock()

    def infer(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        blob = normalised(batch, self.spec)
        with self._lock:
            self._net.setInput(blob)
            return tuple(np.array(out) for out in self._net.forward(self._outputs))

    def close(self) -> None:
        self._net = None


def load(entry: Entry, files: tuple[Path, ...], _: Settings) -> Cv2Model:
    """A model from one ONNX or TFLite file, or from a TensorFlow graph: a .pb file, with or without its .pbtxt.

    Raises:
        WeightsError: OpenCV cannot read the file.
    """
    graph, *config = sorted(files, key=lambda path: path.suffix == ".pbtxt")
    try:
        if graph.suffix == ".pb":
            read: Any = cv2.dnn.readNetFromTensorflow  # its type does not know that the engine is optional
            net = read(str(graph), str(config[0]) if config else "", *_engine())
        else:
            net = cv2.dnn.readNet(str(graph))
    except cv2.error as error:
        raise WeightsError(f"{entry.name}: OpenCV cannot read {graph.name}: {error}") from error
    return Cv2Model(entry, net)


def _engine() -> tuple[int, ...]:
    """OpenCV 5 has two engines. The older takes a seventh less time for an SSD, its outputs are equal within 1e-5."""
    return (cv2.dnn.ENGINE_CLASSIC,) if int(cv2.__version__.partition(".")[0]) >= 5 else ()
