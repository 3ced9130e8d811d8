"""ONNX networks run by OpenVINO: on Intel's and other CPUs the fastest engine, once its answers are found to agree.

The first time a file is run on a machine, OpenVINO's outputs are compared with ONNX Runtime's on real photos. The
verdict is kept in the cache, under the file's hash and the versions of both; a network that does not agree is
refused with the difference, and ONNX Runtime runs it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends.model import Model, Settings, preprocessing_of
from visionkit.backends.onnx import load as load_reference
from visionkit.backends.preprocess import fit, normalised
from visionkit.data import Image
from visionkit.errors import UsageError, WeightsError
from visionkit.lazy import cv2, load, np
from visionkit.resources import resource_dir
from visionkit.weights.entry import Entry
from visionkit.weights.store import default_cache_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

TOLERANCE = 1e-3
"""Largest difference of an output, relative to the largest value in it, that counts as agreement."""
PHOTOS = 2

log = logging.getLogger(__name__)


class OpenVinoModel:
    """A compiled OpenVINO network. Several threads may call it: each call has a request of its own."""

    backend = "openvino"
    device = "cpu"
    output = ""

    def __init__(self, entry: Entry, compiled: Any) -> None:
        self.entry = entry
        self.spec = preprocessing_of(entry)
        self._compiled = compiled
        first = compiled.inputs[0].partial_shape[0]
        self._fixed = first.is_static

    def infer(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        feed = normalised(batch, self.spec)
        parts = [feed[i : i + 1] for i in range(len(feed))] if self._fixed else [feed]
        outputs = [self._outputs(part) for part in parts]
        return tuple(np.concatenate(columns) for columns in zip(*outputs, strict=True))

    def _outputs(self, feed: NDArray[np.float32]) -> list[NDArray[Any]]:
        found = self._compiled.create_infer_request().infer([feed])
        return [np.array(found[port]) for port in self._compiled.outputs]

    def close(self) -> None:
        self._compiled = None


def load_openvino(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """A model from one .onnx file; ONNX Runtime's where the two do not agree.

    Raises:
        WeightsError: neither can read the file.
        MissingExtraError: OpenVINO is not installed.
    """
    compiled = _compiled(files[0], settings)
    if isinstance(compiled, str):
        log.warning("%s: OpenVINO cannot run it (%s): ONNX Runtime does", entry.name, compiled)
        return load_reference(entry, files, settings)
    model = OpenVinoModel(entry, compiled)
    gap = _known_difference(model, entry, files, settings)
    if gap <= TOLERANCE:
        return model
    log.warning("%s: OpenVINO differs by %.2g of the largest output: ONNX Runtime runs it", entry.name, gap)
    model.close()
    return load_reference(entry, files, settings)


def _compiled(path: Path, settings: Settings) -> Any:
    """The network compiled for the CPU, or why OpenVINO cannot. Compiling takes seconds: the result is kept on disk."""
    openvino = load("openvino")
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # bf16, its default where the CPU has it, does not agree
        "CACHE_DIR": str(_folder()),
    }
    if settings.threads:
        options["INFERENCE_NUM_THREADS"] = settings.threads
    try:
        core = openvino.Core()
        return core.compile_model(core.read_model(str(path)), "CPU", options)
    except RuntimeError as error:
        return str(error).strip().splitlines()[-1]


def _folder() -> Path:
    """Where compiled networks and verdicts are kept."""
    return default_cache_dir() / "openvino"


def _known_difference(model: OpenVinoModel, entry: Entry, files: tuple[Path, ...], settings: Settings) -> float:
    """The difference from ONNX Runtime, measured once for these files and these versions."""
    versions = [version("openvino"), version("onnxruntime")]
    name = sha256(json.dumps([entry.digest, TOLERANCE, *versions]).encode()).hexdigest()[:12]
    note = _folder() / f"agreement-{name}.json"
    try:
        return float(json.loads(note.read_text("utf-8"))["difference"])
    except (OSError, ValueError, KeyError):
        pass
    gap = difference(model, load_reference(entry, files, settings), photos())
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"difference": gap, "versions": versions}), "utf-8")
    except OSError as error:  # a cache that is only read: it is measured again next time
        log.info("%s cannot be kept: %s", note, error)
    return gap


def difference(model: Model, reference: Model, pictures: Iterator[Image]) -> float:
    """The largest difference of any output on any picture, as a share of the largest value of that output.

    Raises:
        WeightsError: the outputs differ in number or shape.
    """
    worst = 0.0
    for picture in pictures:
        batch = fit(picture, model.spec).pixels[None]
        ours, theirs = model.infer(batch), reference.infer(batch)
        if [out.shape for out in ours] != [out.shape for out in theirs]:
            shapes = f"{[out.shape for out in ours]} and {[out.shape for out in theirs]}"
            raise WeightsError(f"{model.entry.name}: {model.backend} gives other outputs than the reference: {shapes}")
        for a, b in zip(ours, theirs, strict=True):
            scale = max(float(np.abs(b).max(initial=0)), 1e-6)
            worst = max(worst, float(np.abs(a.astype(np.float64) - b).max(initial=0)) / scale)
    return worst


def photos() -> Iterator[Image]:
    """Real photos: the first of those that visionkit ships; where they are missing, drawn ones."""
    try:
        paths = sorted((resource_dir("samples") / "photos").glob("*.jpg"))[:PHOTOS]
    except UsageError:
        paths = []
    for path in paths:
        yield Image(np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR)))
    for seed in range(PHOTOS - len(paths)):
        small = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
        yield Image(cv2.resize(small, (640, 480), interpolation=cv2.INTER_CUBIC))
