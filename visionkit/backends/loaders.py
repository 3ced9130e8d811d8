"""From a catalogue entry's ``loader`` to a model.

An entry says ``loader: <backend>`` or ``loader: <backend>:<what to build>``:

============================  ===================================================================
``cv2dnn-tf``, ``cv2dnn``     a graph that OpenCV runs (TensorFlow, or ONNX and TFLite)
``onnx``                      an ONNX file, run by ONNX Runtime, or as ``backend`` says by another
``openvino``                  an ONNX file, run by OpenVINO
``file``                      several ONNX files, run side by side
``torchvision:resnet18``      a network of torchvision, by the name ``get_model`` knows
``timm:vit_tiny_…``           a network of timm
``smp:Unet``                  an architecture of segmentation-models-pytorch
``nets:unet.unet_mobilenet``  a function of visionkit.nets
``keras-h5:hed.hed``          the same, with weights that Keras saved
``ultralytics``               the bare network in an Ultralytics checkpoint
============================  ===================================================================
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from visionkit.backends.choice import OWN, recall
from visionkit.backends.model import Loader, Model, Settings
from visionkit.errors import WeightsError, did_you_mean
from visionkit.weights.entry import Entry

LOADERS = MappingProxyType(
    {
        "cv2dnn-tf": "visionkit.backends.cv2dnn:load",
        "cv2dnn": "visionkit.backends.cv2dnn:load",
        "onnx": "visionkit.backends.onnx:load",
        "openvino": "visionkit.backends.openvino:load_openvino",
        "file": "visionkit.backends.onnx:load_set",
        "torchvision": "visionkit.backends.torchnet:load_torchvision",
        "timm": "visionkit.backends.torchnet:load_timm",
        "smp": "visionkit.backends.torchnet:load_smp",
        "nets": "visionkit.backends.torchnet:load_own",
        "keras-h5": "visionkit.backends.keras:load",
        "ultralytics": "visionkit.backends.yolo:load",
    }
)
_AROUND = MappingProxyType(
    {
        "compile": "visionkit.backends.compiled:load",
        "cv2": "visionkit.backends.exported:load_cv2",
        "graphs": "visionkit.backends.graphs:load",
        "onnxruntime": "visionkit.backends.exported:load_onnxruntime",
        "tensorrt": "visionkit.backends.tensorrt:load",
    }
)
"""Backends around another loader's network: no entry can name them."""

_TORCH = ("torchvision", "timm", "smp", "nets", "ultralytics")
OTHERS = MappingProxyType(
    {(kind, "openvino"): "openvino" for kind in ("onnx", *_TORCH)}
    | {(kind, "tensorrt"): "tensorrt" for kind in ("onnx", *_TORCH)}
    | {(kind, "cv2"): "cv2" for kind in ("onnx", *_TORCH)}
    | {(kind, "onnxruntime"): "onnxruntime" for kind in _TORCH}
    | {(kind, "graphs"): "graphs" for kind in _TORCH}
    | {(kind, "compile"): "compile" for kind in _TORCH}
)
"""What runs a loader's files when the user names another backend; where none is listed, the loader's own does."""


def load_model(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """Load the network of ``entry`` from its verified local ``files``.

    With ``backend="auto"`` it runs where it was measured to be fastest on this machine, else in the backend that its
    loader names.

    Raises:
        WeightsError: no such loader, or the files do not hold what the entry says.
        MissingExtraError: the loader's package is not installed.
    """
    if settings.backend == "auto":
        return _chosen(entry, files, settings)
    kind = entry.loader.partition(":")[0]
    if kind not in LOADERS:
        help_ = did_you_mean(kind, LOADERS) or f"loaders are {', '.join(LOADERS)}"
        raise WeightsError(f"{entry.name}: there is no loader {entry.loader!r} for a network", help=help_)
    kind = OTHERS.get((kind, settings.backend), kind)
    module, _, name = (_AROUND.get(kind) or LOADERS[kind]).partition(":")
    load: Loader = getattr(importlib.import_module(module), name)
    model = load(entry, files, settings)
    if settings.backend not in (OWN, model.backend.partition(".")[0]) and not model.note:
        model.note = f"{entry.name}: {settings.backend} does not run it, {model.backend} does"
    return model


def can_run(entry: Entry, backend: str) -> bool:
    """Whether a backend is worth asking for what ``entry`` loads."""
    return (entry.loader.partition(":")[0], backend) in OTHERS


def _chosen(entry: Entry, files: tuple[Path, ...], settings: Settings) -> Model:
    """The network in the backend that ``auto`` stands for; its note says why."""
    if settings.precision == "int8":
        return load_model(entry, files, replace(settings, backend="openvino"))
    choice = recall(entry, settings.device, settings.precision)
    if choice is None or choice.backend == OWN:
        return load_model(entry, files, replace(settings, backend=OWN))
    model = load_model(entry, files, replace(settings, backend=choice.backend))
    model.note = model.note or f"{entry.name} runs in {model.backend}: {choice.reason}"
    return model
