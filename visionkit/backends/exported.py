"""ONNX Runtime and OpenCV for networks that do not come for them: ONNX files, and networks of torch, exported once.

The export takes pictures of any size where the network does, and from then on neither torch nor the package it comes
from is imported. An engine is used only once it agreed with the network's own backend, see
:mod:`visionkit.backends.agreement`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from visionkit.backends.agreement import Verdict, compared, key, settled, stand_in
from visionkit.backends.choice import OWN
from visionkit.backends.cv2dnn import Cv2Model, read_onnx
from visionkit.backends.export import export
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings, preprocessing_of
from visionkit.backends.onnx import OnnxModel, load_onnx
from visionkit.backends.preprocess import input_size
from visionkit.data.device import is_gpu
from visionkit.frozen import Frozen
from visionkit.lazy import cv2
from visionkit.weights.entry import Entry, Preprocessing
from visionkit.weights.store import default_cache_dir

EXAMPLE = (256, 320)
"""Height and width that a network for pictures of any size is traced with."""


class _Engine(Frozen):
    """What runs an ONNX file.

    Attributes:
        name: for people.
        version: a fact that verdicts depend on.
        open: makes a model of an entry from the file.
    """

    name: str
    version: str
    open: Callable[[Entry, Path, Settings], OnnxModel | Cv2Model]


def load_onnxruntime(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """A network of torch in ONNX Runtime, or as torch runs it, with a note that says why.

    Raises:
        WeightsError: the files hold no such network.
    """
    from visionkit.lazy import onnxruntime

    return _load(entry, files, settings, _Engine("ONNX Runtime", onnxruntime.__version__, load_onnx))


def load_cv2(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """A network in cv2.dnn, or as its own backend runs it, with a note that says why.

    Raises:
        WeightsError: the files hold no such network.
    """
    engine = _Engine("cv2.dnn", cv2.__version__, read_onnx)
    if settings.device != "cpu":
        return stand_in(load_model(entry, files, replace(settings, backend=OWN)), engine.name, "is for the CPU here")
    return _load(entry, files, settings, engine)


def _load(entry: Entry, files: tuple[Path, ...], settings: Settings, engine: _Engine) -> Model:
    own = replace(settings, backend=OWN)
    package = entry.loader.partition(":")[0]
    is_onnx = package == "onnx"
    graph = files[0] if is_onnx else _folder() / f"{entry.name}-{key(entry, ['torch', package])}.onnx"
    if not graph.exists() and find_spec("onnx") is None:
        return stand_in(load_model(entry, files, own), engine.name, "needs an export: pip install 'visionkit[onnx]'")
    versions = ["onnxruntime"] if is_onnx else ["torch", package]
    facts = (engine.name, engine.version, "cuda" if is_gpu(settings.device) else "cpu")
    note = _folder() / f"{entry.name}-{key(entry, versions, *facts)}.json"
    verdict = settled(note, lambda: _examined(entry, files, graph, settings, engine), graph)
    if verdict.refused:
        return stand_in(load_model(entry, files, own), engine.name, verdict.refused)
    model = engine.open(entry, graph, settings)
    model.output = verdict.output
    return model


def _examined(entry: Entry, files: tuple[Path, ...], graph: Path, settings: Settings, engine: _Engine) -> Verdict:
    """The verdict on the graph, which is exported if need be, from the network in fp32 on the CPU."""
    own = load_model(entry, files, replace(settings, backend=OWN, device="cpu", precision="fp32"))

    def build() -> Model:
        if not graph.exists():
            height, width, any_size = _example(preprocessing_of(entry))
            export(own, height, width, graph, any_size=any_size)
        return engine.open(entry, graph, settings)

    try:
        return compared(own, build)
    finally:
        own.close()


def _example(spec: Preprocessing) -> tuple[int, int, bool]:
    """Height and width to trace a network with, and whether it takes others too."""
    sizes = {input_size(width, height, spec) for width, height in ((640, 480), (480, 640), (1280, 720))}
    if len(sizes) > 1:
        return *EXAMPLE, True
    ((width, height),) = sizes
    return height, width, False


def _folder() -> Path:
    return default_cache_dir() / "onnx"
