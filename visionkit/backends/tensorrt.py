"""Networks run by TensorRT, through ONNX Runtime's provider for it.

That provider builds the engines, keeps them, and leaves to CUDA what TensorRT cannot run, so nothing of it is done
here. Networks of torch are exported to ONNX, once for each input size. Engines are kept in the cache, under the hash of
the weights, the GPU and the versions of all that took part; before one is used for the first time it is compared with
the network's own backend on real photos.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionkit.backends.agreement import TOLERANCE, Verdict, compared, key, photos, settled, stand_in
from visionkit.backends.choice import OWN
from visionkit.backends.cuda_fit import normalised
from visionkit.backends.cuda_onnx import Bound
from visionkit.backends.export import export
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings, preprocessing_of
from visionkit.backends.onnx import open_session
from visionkit.data import Image
from visionkit.data.device import fetched, is_gpu, sent
from visionkit.errors import WeightsError
from visionkit.lazy import cv2, onnxruntime, torch
from visionkit.weights.entry import Entry
from visionkit.weights.store import default_cache_dir

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROVIDER = "TensorrtExecutionProvider"
BATCHES = (1, 16, 64)
"""Batch sizes of an engine: smallest, the one it is tuned for, largest."""
HALF_TOLERANCE = 4e-3
"""The largest difference in fp16, as a share of the largest output."""

log = logging.getLogger(__name__)


class TensorRtModel:
    """A network with an engine for each input size. One call runs at a time."""

    backend = "tensorrt"
    note = ""
    streams = 1

    def __init__(self, entry: Entry, settings: Settings, output: str, graphs: Graphs) -> None:
        self.entry, self.device, self.output = entry, settings.device, output
        self.spec = preprocessing_of(entry)
        self._settings, self._graphs = settings, graphs
        self._sessions: dict[tuple[int, int], Bound] = {}
        self._lock = Lock()

    def infer(self, batch: Any) -> tuple[NDArray[Any], ...]:
        return fetched(self.forward(batch))

    def forward(self, batch: Any) -> tuple[Any, ...]:
        """What :meth:`infer` gives, as tensors that stay on the device."""
        batch = sent(batch, self.device)
        with self._lock:
            session = self._session(*batch.shape[2:])
            feed = normalised(batch, self.spec, session.dtype)
            parts = feed.split(session.fixed_batch or BATCHES[-1])
            outputs = [session.run(part) for part in parts]
        return tuple(torch.cat(columns).float() for columns in zip(*outputs, strict=True))

    def _session(self, height: int, width: int) -> Bound:
        found = self._sessions.get((height, width))
        if found is None:
            graph = self._graphs.graph(height, width)
            log.info("%s: TensorRT builds an engine for %d×%d unless it has one", self.entry.name, width, height)
            providers = [(PROVIDER, options(self._settings, self._graphs.folder, shapes(graph, height, width)))]
            session = open_session(graph, self._settings, providers)
            if session.get_providers()[0] != PROVIDER:
                raise WeightsError(f"{self.entry.name}: TensorRT's libraries cannot be loaded: pip install tensorrt")
            found = self._sessions[height, width] = Bound(session)
        return found

    def close(self) -> None:
        self._sessions.clear()
        self._graphs.close()


class Graphs:
    """The ONNX graphs of a network, exported from its own backend, one for each input size; a file of ONNX is for all.

    Attributes:
        folder: where they are kept.
    """

    def __init__(self, entry: Entry, files: tuple[Path, ...], settings: Settings, folder: Path) -> None:
        self.folder = folder
        self._entry, self._files = entry, files
        self._settings = replace(settings, backend=OWN)
        self._own: Model | None = None

    def own(self) -> Model:
        """The network in its own backend."""
        if self._own is None:
            self._own = load_model(self._entry, self._files, self._settings)
        return self._own

    def graph(self, height: int, width: int) -> Path:
        """The file of the graph for an input of this size.

        Raises:
            WeightsError: the network cannot be exported.
        """
        if self._entry.loader == "onnx":
            return self._files[0]
        path = self.folder / f"{width}x{height}.onnx"
        if not path.exists():
            export(self.own(), height, width, path)
        return path

    def close(self) -> None:
        if self._own is not None:
            self._own.close()


def shapes(graph: Path, height: int, width: int) -> str:
    """The profile of an engine, for the input of a graph: ``pictures:{batch}x3x384x640``; "" if nothing is free."""
    first = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"]).get_inputs()[0]
    if all(isinstance(size, int) for size in first.shape):
        return ""
    channels_last = first.shape[-1] in (1, 3)
    channels = first.shape[-1] if channels_last else first.shape[1]
    batch = first.shape[0] if isinstance(first.shape[0], int) else "{batch}"
    sides = (height, width, channels) if channels_last else (channels, height, width)
    return f"{first.name}:{'x'.join(map(str, (batch, *sides)))}"


def options(settings: Settings, folder: Path, profile: str) -> dict[str, str]:
    """What the provider is told."""
    found = {
        "device_id": settings.device.partition(":")[2] or "0",
        "trt_fp16_enable": str(settings.precision == "fp16"),
        "trt_engine_cache_enable": "True",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "True",
        "trt_timing_cache_path": str(folder),
    }
    if profile:
        names = zip(("min", "opt", "max"), BATCHES, strict=True)
        found |= {f"trt_profile_{name}_shapes": profile.format(batch=batch) for name, batch in names}
    return found


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """The network of ``entry`` in TensorRT, or as its own backend runs it, with a note that says why.

    Raises:
        WeightsError: the files hold no such network.
    """
    reason = _objection(settings)
    if not reason:
        folder = default_cache_dir() / "tensorrt" / _key(entry, settings)
        graphs = Graphs(entry, files, settings, folder)
        verdict = settled(folder / "verdict.json", lambda: _examined(entry, settings, graphs))
        reason = verdict.refused
        if not reason:
            return TensorRtModel(entry, settings, verdict.output, graphs)
        graphs.close()
    return stand_in(load_model(entry, files, replace(settings, backend=OWN)), "TensorRT", reason)


def _objection(settings: Settings) -> str:
    if not is_gpu(settings.device):
        return "needs an NVIDIA GPU (device: cuda)"
    if PROVIDER not in onnxruntime.get_available_providers():
        return "is not in this ONNX Runtime (pip install onnxruntime-gpu tensorrt)"
    return "" if settings.precision in ("fp32", "fp16") else f"has no {settings.precision} here, fp32 and fp16"


def _examined(entry: Entry, settings: Settings, graphs: Graphs) -> Verdict:
    own = graphs.own()
    tolerance = TOLERANCE if settings.precision == "fp32" else HALF_TOLERANCE
    return compared(own, lambda: TensorRtModel(entry, settings, own.output, graphs), _wide, tolerance)


def _wide() -> Iterator[Image]:
    """Real photos in the shape that most videos have: an engine takes minutes, and this one will be used again."""
    for photo in photos():
        yield Image(cv2.resize(photo.bgr(), (1280, 720), interpolation=cv2.INTER_AREA))


def _key(entry: Entry, settings: Settings) -> str:
    packages = ["onnxruntime-gpu", "onnxruntime", "tensorrt", "tensorrt-cu13", "torch", entry.loader.partition(":")[0]]
    gpu = torch.cuda.get_device_name(settings.device)
    return key(entry, packages, gpu, settings.precision, BATCHES)
