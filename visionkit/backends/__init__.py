"""What runs networks: torch, ONNX Runtime, OpenCV, OpenVINO, behind one small protocol.

``load_model`` builds a :class:`Model` from a catalogue entry, :class:`ModelCache` shares it, :func:`fit` makes a
picture ready for it, :func:`nms` thins out what a detector found. Each is imported when first asked for: checking a
pipeline needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from visionkit.backends.cache import ModelCache
    from visionkit.backends.loaders import load_model
    from visionkit.backends.model import Model, Settings
    from visionkit.backends.preprocess import Fitted, fit, fit_batch, input_size
    from visionkit.backends.suppression import nms, nms_rotated, soft_nms

_HOMES = {
    "Fitted": "preprocess",
    "Model": "model",
    "ModelCache": "cache",
    "Settings": "model",
    "fit": "preprocess",
    "fit_batch": "preprocess",
    "input_size": "preprocess",
    "load_model": "loaders",
    "nms": "suppression",
    "nms_rotated": "suppression",
    "soft_nms": "suppression",
}

__all__ = [
    "Fitted",
    "Model",
    "ModelCache",
    "Settings",
    "fit",
    "fit_batch",
    "input_size",
    "load_model",
    "nms",
    "nms_rotated",
    "soft_nms",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'visionkit.backends' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"visionkit.backends.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
