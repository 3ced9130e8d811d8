"""What runs networks: torch, ONNX Runtime, OpenCV, OpenVINO, behind one small protocol.

``load_model`` builds a :class:`Model` from a catalogue entry, :class:`ModelCache` shares it, :func:`fit` makes a
picture ready for it, :func:`nms` thins out what a detector found.
"""

from visionkit.backends.cache import ModelCache
from visionkit.backends.loaders import load_model
from visionkit.backends.model import Model, Settings
from visionkit.backends.nms import nms, nms_rotated, soft_nms
from visionkit.backends.preprocess import Fitted, fit, fit_batch, input_size

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
