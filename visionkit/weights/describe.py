"""What a network's file says about itself: Ultralytics writes class names and input size into what it saves."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visionkit.errors import WeightsError
from visionkit.lazy import onnxruntime
from visionkit.weights.contained import load_ultralytics

UNREADABLE = "VK319"
YOLO_STRIDE = 32


def describe(path: Path) -> dict[str, Any]:
    """The fields of an entry that can be read from ``path``; empty if the file does not say.

    Raises:
        WeightsError: VK316 a ``.pt`` file would run code, VK319 the file cannot be read.
        MissingExtraError: a ``.pt`` file needs Ultralytics to be read.
    """
    if path.suffix == ".onnx":
        return _describe_onnx(path)
    if path.suffix == ".pt":
        return _describe_checkpoint(path)
    return {}


def _describe_onnx(path: Path) -> dict[str, Any]:
    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own exceptions have no common class
        raise WeightsError(f"{path} cannot be read as ONNX: {error}", code=UNREADABLE) from error
    metadata = session.get_modelmeta().custom_metadata_map
    if not {"names", "imgsz"} <= metadata.keys():
        return {}
    height, width = ast.literal_eval(metadata["imgsz"])
    return {
        **_yolo(ast.literal_eval(metadata["names"]), (height, width), exact=True),
        "settings": {"output": "yolo"},
    }


def _describe_checkpoint(path: Path) -> dict[str, Any]:
    tasks = load_ultralytics("ultralytics.nn.tasks")
    try:
        checkpoint, _ = tasks.torch_safe_load(str(path), safe_only=True)
        model = checkpoint["model"]
        names, size = model.names, int(model.args.get("imgsz", 640))
    except Exception as error:  # a damaged or hostile pickle can end in any error
        raise WeightsError(f"{path} is no checkpoint of Ultralytics: {error}", code=UNREADABLE) from error
    return _yolo(names, (size, size), exact=False)


def _yolo(names: Mapping[int, str], size: tuple[int, int], *, exact: bool) -> dict[str, Any]:
    """A letterbox of ``size``; a graph takes exactly that, a checkpoint any multiple of the stride."""
    preprocessing = {"size": list(size), "fit": "letterbox", "stride": 1 if exact else YOLO_STRIDE, "color": "rgb"}
    return {"classes": [str(names[index]) for index in sorted(names)], "preprocessing": preprocessing}
