"""Networks run by OpenVINO: on Intel's and other CPUs the fastest engine, once its answers are found to agree.

ONNX files are read as they are. Networks of torch are converted the first time, and then neither torch nor the package
they come from is imported to run them. In both cases OpenVINO's outputs are first compared with the entry's own backend
on real photos. The verdict is kept in the cache, under the weights' hash and the versions of all that took part; a
network that does not agree is refused with the difference, and its own backend runs it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends import int8
from visionkit.backends.choice import OWN
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings, preprocessing_of
from visionkit.backends.ovgraph import Compiled, convert
from visionkit.backends.preprocess import fit
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
    verdict = _read(note) if graph.exists() else None
    if verdict is None:
        reference = load_model(entry, files, own)
        verdict = _examine(reference, graph, settings)
        reference.close()
        _write(note, verdict)
    if "refused" in verdict:
        model = load_model(entry, files, own)
        model.note = f"{entry.name}: OpenVINO {verdict['refused']}: its own backend runs it"
        log.warning(model.note)
        return model
    if settings.precision == "int8":
        return _int8(entry, graph, note, settings, verdict["output"])
    return OpenVinoModel(entry, _compiled(graph, entry, settings), verdict["output"])


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


def _examine(reference: Model, graph: Path, settings: Settings) -> dict[str, Any]:
    """Converts the network if need be and compares it: the verdict."""
    found: dict[str, Any] = {"weights": reference.entry.name, "output": reference.output}
    try:
        if graph.suffix == ".xml":
            _convert(reference, graph)
        gap = difference(
            OpenVinoModel(reference.entry, _compiled(graph, reference.entry, settings)), reference, photos()
        )
    except (RuntimeError, TypeError, ValueError, WeightsError) as error:  # what its converter raises for what it cannot
        text = str(error).strip() or type(error).__name__
        return found | {"refused": f"cannot run it ({text.splitlines()[-1][:200]})"}
    if gap > TOLERANCE:
        found["refused"] = f"differs by {gap:.2g} of the largest output"
    return found | {"difference": gap}


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
    packages = ["openvino", *(["onnxruntime"] if entry.loader == "onnx" else ["torch", entry.loader.partition(":")[0]])]
    facts = [entry.digest, entry.loader, str(entry.settings), str(entry.preprocessing), TOLERANCE]
    return sha256(json.dumps([*facts, *map(_version, packages)]).encode()).hexdigest()[:16]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # our own networks
        return ""


def _read(note: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(note.read_text("utf-8"))
        return found if "output" in found and ("refused" in found or found["difference"] <= TOLERANCE) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(note: Path, verdict: Mapping[str, Any]) -> None:
    try:
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps(verdict), "utf-8")
    except OSError as error:  # a cache that is only read: it is measured again next time
        log.info("%s cannot be kept: %s", note, error)


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
