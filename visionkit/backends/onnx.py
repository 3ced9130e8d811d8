"""Networks in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.backends.cuda_onnx import Bound
from visionkit.backends.model import Settings, preprocessing_of
from visionkit.backends.preprocess import normalised
from visionkit.data.device import fetched, is_gpu
from visionkit.errors import WeightsError
from visionkit.lazy import load as load_package
from visionkit.lazy import np, onnxruntime, torch
from visionkit.weights.entry import Entry

if TYPE_CHECKING:
    from numpy.typing import NDArray


class OnnxModel:
    """An ONNX Runtime session. A graph whose batch size is fixed gets its pictures one by one."""

    backend = "onnxruntime"
    output = ""
    note = ""

    def __init__(self, entry: Entry, session: Any, device: str, streams: int = 1) -> None:
        self.entry = entry
        self.spec = preprocessing_of(entry)
        self.device = device
        self.streams = streams
        self._session = session
        self._input = session.get_inputs()[0]
        self._half = "float16" in self._input.type
        self._fixed = isinstance(self._input.shape[0], int)
        self._bound = Bound(session)

    def forward(self, batch: Any) -> tuple[Any, ...]:
        """Outputs for a tensor (N, C, H, W) uint8, as tensors that stay on its device."""
        from visionkit.backends.cuda_fit import normalised as on_device

        feed = on_device(batch, self.spec, self._bound.dtype)
        parts = [feed[i : i + 1] for i in range(len(feed))] if self._fixed else [feed]
        outputs = [self._bound.run(part) for part in parts]
        return tuple(torch.cat(columns) for columns in zip(*outputs, strict=True))

    def infer(self, batch: Any) -> tuple[NDArray[Any], ...]:
        if not isinstance(batch, np.ndarray):
            return fetched(self.forward(batch))
        feed = normalised(batch, self.spec)
        if self._half:
            feed = feed.astype(np.float16)
        parts = [feed[i : i + 1] for i in range(len(feed))] if self._fixed else [feed]
        outputs = [self._session.run(None, {self._input.name: part}) for part in parts]
        return tuple(np.concatenate(columns) for columns in zip(*outputs, strict=True))

    def close(self) -> None:
        self._session = None


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> OnnxModel:
    """A model from one .onnx file.

    Raises:
        WeightsError: ONNX Runtime cannot read the file.
    """
    return load_onnx(entry, files[0], settings)


def load_onnx(entry: Entry, path: Path, settings: Settings) -> OnnxModel:
    """The same, from its path.

    Raises:
        WeightsError: ONNX Runtime cannot read the file.
    """
    session = open_session(path, settings)
    on_gpu = session.get_providers()[0] != "CPUExecutionProvider"
    model = OnnxModel(entry, session, settings.device if on_gpu else "cpu", settings.streams)
    if is_gpu(settings.device) and not on_gpu:
        model.note = f"{entry.name}: this ONNX Runtime has no CUDA, the CPU runs it: pip install onnxruntime-gpu"
    return model


def open_session(path: Path, settings: Settings, first: Sequence[Any] = ()) -> Any:
    """An ``onnxruntime.InferenceSession`` with the device and the threads of ``settings``.

    On a GPU the providers ``first`` come before CUDA's own.

    Raises:
        WeightsError: ONNX Runtime cannot read the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads leave the cores to others
    providers: list[Any] = ["CPUExecutionProvider"]
    if is_gpu(settings.device) and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        load_package("torch")  # with it come the tensors, and the libraries of CUDA that ONNX Runtime looks for
        device = {"device_id": int(settings.device.partition(":")[2] or 0)}
        providers = [*first, ("CUDAExecutionProvider", device), *providers]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # its errors have no base class but this
        raise WeightsError(f"ONNX Runtime cannot read {path.name}: {error}") from error


class OnnxSet:
    """Several ONNX networks that work together, by file name: a text detector, a recogniser, ..."""

    backend = "onnxruntime"
    note = ""
    streams = 1

    def __init__(self, entry: Entry, sessions: Mapping[str, Any], device: str) -> None:
        self.entry = entry
        self.device = device
        self._sessions = dict(sessions)

    def run(
        self, part: str, planes: NDArray[np.float32], more: Mapping[str, NDArray[np.float32]] | None = None
    ) -> NDArray[Any]:
        """The first output of the network in file ``part`` for the ready input ``planes``, and ``more`` by name."""
        session = self._sessions[part]
        output: NDArray[Any] = session.run(None, {session.get_inputs()[0].name: planes, **(more or {})})[0]
        return output

    def inputs(self, part: str) -> list[str]:
        """What network ``part`` calls its inputs."""
        return [one.name for one in self._sessions[part].get_inputs()]

    def metadata(self, part: str) -> Mapping[str, str]:
        """What the file of network ``part`` says about itself."""
        found: Mapping[str, str] = self._sessions[part].get_modelmeta().custom_metadata_map
        return found

    def close(self) -> None:
        self._sessions.clear()


def load_set(entry: Entry, files: tuple[Path, ...], settings: Settings) -> OnnxSet:
    """A set of networks from several .onnx files.

    Raises:
        WeightsError: ONNX Runtime cannot read one, or they are no ONNX files.
    """
    if any(path.suffix != ".onnx" for path in files):
        raise WeightsError(f"{entry.name}: only the library it belongs to can load these files")
    whole = replace(settings, threads=0) if settings.streams > 1 else settings  # nobody calls them side by side
    sessions = {path.name: open_session(path, whole) for path in files}
    return OnnxSet(entry, sessions, settings.device)
