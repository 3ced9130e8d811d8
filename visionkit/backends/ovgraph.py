"""Graphs for OpenVINO: read from ONNX or converted from torch, with the preprocessing inside, compiled per shape."""

from __future__ import annotations

import warnings
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionkit.lazy import load, torch

if TYPE_CHECKING:
    from visionkit.backends.model import Settings
    from visionkit.weights.entry import Preprocessing

STATIC_SHAPES = 4
"""Compiled for a shape of its own a network is faster, but compiling takes up to a second."""
_FIRST = Lock()
"""OpenVINO's binding fills tables of its own when it first touches a tensor. Of two threads that do so at the same time
one can hold the GIL and wait for the table, the other the table and wait for the GIL: for ever. So the first call for
each graph is made while no other first call is."""


def convert(module: Any, path: Path) -> None:
    """Write a torch module as an OpenVINO graph (``path`` .xml, and .bin beside it) for pictures of any size.

    Raises:
        RuntimeError, TypeError, ValueError: it cannot be traced.
    """
    from visionkit.backends.torchnet import flat

    class Flat(torch.nn.Module):
        """Tensors in, a tuple of tensors out."""

        def __init__(self) -> None:
            super().__init__()
            self.net = module

        def forward(self, pictures: Any) -> Any:
            found = flat(self.net(pictures))
            return found if len(found) > 1 else found[0]

    openvino = load("openvino")
    example = torch.zeros(1, 3, 256, 320)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each branch that depends on a size is named; what it comes to is compared
        traced = torch.jit.trace(Flat(), example, check_trace=False)  # type: ignore[no-untyped-call]
        graph = openvino.convert_model(traced, example_input=example, input=[-1, 3, -1, -1])
    path.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(graph, str(path), compress_to_fp16=False)


class Compiled:
    """A graph, compiled for the shapes that come. ``run`` may be called from several threads.

    It is compiled once more for each call that runs beside others, not once for so many streams: OpenVINO 2026.4
    prepares streams side by side and gets the weights of some networks wrong, MobileNet v2's every second time.

    Args:
        path: an .onnx or .xml file.
        spec: how pictures are normalised; that becomes part of the graph, which then takes (N, H, W, C) uint8.
        settings: threads.
        cache: a folder for compiled graphs.

    Raises:
        RuntimeError: OpenVINO cannot read or compile the graph.
    """

    def __init__(self, path: Path, spec: Preprocessing, settings: Settings, cache: Path) -> None:
        openvino = load("openvino")
        self._core = openvino.Core()
        self._options = _options(settings, cache)
        self.streams = settings.streams
        graph = self._core.read_model(str(path))
        self._graph = _prepared(graph, spec) if _takes_floats(graph) else graph
        self._shape = self._graph.inputs[0].partial_shape
        self._idle: dict[tuple[int, ...], list[Any]] = {}  # requests that nobody uses now, each of a graph of its own

    @property
    def fixed_batch(self) -> bool:
        """True if the graph takes one picture at a time."""
        return bool(self._shape[0].is_static)

    def run(self, batch: Any) -> list[Any]:
        """The outputs, as arrays of their own, for a batch (N, H, W, C) uint8."""
        key = self._key(batch.shape)
        try:
            request = self._idle[key].pop()
        except (KeyError, IndexError):  # all of them are at work
            request = self._request(key, batch)
        try:
            return [output.copy() for output in request.infer([batch]).values()]
        finally:
            self._idle[key].append(request)

    def _key(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape to compile for; none for a graph of fixed shape, and for shapes beyond the first few."""
        known = shape in self._idle or len(self._idle) < STATIC_SHAPES
        return shape if known and self._shape.is_dynamic else ()

    def _request(self, key: tuple[int, ...], batch: Any) -> Any:
        with _FIRST:
            self._idle.setdefault(key, [])
            graph = self._graph.clone()
            if key:
                graph.reshape({0: list(key)})
            request = self._core.compile_model(graph, "CPU", self._options).create_infer_request()
            for output in request.infer([batch]).values():
                output.copy()
            return request


def _options(settings: Settings, cache: Path) -> dict[str, Any]:
    options: dict[str, Any] = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # bf16, its default where the CPU has it, does not agree
        "CACHE_DIR": str(cache),
    }
    if settings.streams > 1:  # not bound to their cores: decoding, drawing and encoding want them, too
        options |= {"NUM_STREAMS": 1, "ENABLE_CPU_PINNING": False}
    return options | ({"INFERENCE_NUM_THREADS": settings.threads} if settings.threads else {})


def _takes_floats(graph: Any) -> bool:
    return len(graph.inputs) == 1 and str(graph.inputs[0].get_element_type().get_type_name()) in ("f32", "f16")


def _prepared(graph: Any, spec: Preprocessing) -> Any:
    """``(x * scale - mean) / std`` and the channel order as the graph's first steps: it takes pictures as they are."""
    preprocess = load("openvino.preprocess").PrePostProcessor(graph)
    openvino = load("openvino")
    outside = preprocess.input()
    outside.tensor().set_element_type(openvino.Type.u8).set_layout(openvino.Layout("NHWC"))
    outside.model().set_layout(openvino.Layout("NHWC" if spec.layout == "nhwc" else "NCHW"))
    steps = outside.preprocess().convert_element_type(openvino.Type.f32)
    if any(spec.mean):
        steps = steps.mean([mean / spec.scale for mean in spec.mean])
    steps.scale([std / spec.scale for std in spec.std])
    if graph.inputs[0].get_element_type() == openvino.Type.f16:
        steps.convert_element_type(openvino.Type.f16)
    return preprocess.build()
