"""Heavy packages by their usual names, imported at first use.

``from visionkit.lazy import cv2, np`` reads like an import and costs nothing until the first
``cv2.blur(...)``. That is how ``visionkit validate`` stays fast and a pipeline without a network never
loads torch. A package that is not installed raises :class:`MissingExtraError` with its pip line.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from visionkit.errors import MissingExtraError

EXTRAS = {
    "torch": "torch",
    "torchvision": "torch",
    "timm": "torch",
    "ultralytics": "yolo",
    "easyocr": "easyocr",
    "granian": "live",
    "pillow_heif": "image",
    "pycocotools": "train",
    "safetensors": "torch",
    "rapidocr": "ocr",
    "albumentations": "augment",
    "segmentation_models_pytorch": "segment",
    "openvino": "openvino",
    "onnx": "onnx",
    "nncf": "int8",
    "trackers": "track",
    "supervision": "track",
    "skimage": "image",
    "ray": "ray",
    "fsspec": "remote",
    "starlette": "live",
    "pyarrow": "data",
    "pandas": "data",
}
ENVIRONMENT = {  # read by the package at import time
    "cv2": {"OPENCV_IO_MAX_IMAGE_PIXELS": "100000000", "OPENCV_LOG_LEVEL": "SILENT"},
    "av": {"SVT_LOG": "1"},
    "albumentations": {"NO_ALBUMENTATIONS_UPDATE": "1"},
    # OpenMP's threads would spin while they wait, on cores that others want: a network then took ten times as long.
    "torch": {"OMP_WAIT_POLICY": "PASSIVE"},
    "ultralytics": {
        "OMP_WAIT_POLICY": "PASSIVE",
        "YOLO_OFFLINE": "1",
        "YOLO_AUTOINSTALL": "0",
        "ULTRALYTICS_SAFE_LOAD": "1",
    },
}


def load(name: str) -> Any:
    """Import and return the module ``name``.

    Raises:
        MissingExtraError: the package is not installed; the message has the pip line.
    """
    root = name.partition(".")[0]
    for key, value in ENVIRONMENT.get(root, {}).items():
        os.environ.setdefault(key, value)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if root == "cv2" and str(error).startswith("lib"):
            line = "pip install --force-reinstall --no-deps opencv-python-headless"
            raise MissingExtraError(f"OpenCV needs a library this machine lacks: {error}", help=line) from error
        if not isinstance(error, ModuleNotFoundError) or str(error.name).partition(".")[0] != root:
            raise
        extra = EXTRAS.get(root)
        line = f"pip install 'visionkit[{extra}]'" if extra else f"pip install {root}"
        raise MissingExtraError(f"the package {root!r} is not installed", help=line) from error


class LazyModule:
    """A stand-in for a module: the first attribute asked for imports it, each is kept."""

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(load(self.__dict__["_name"]), attribute)
        self.__dict__[attribute] = value
        return value

    def __repr__(self) -> str:
        return f"<lazy module {self.__dict__['_name']!r}>"


if TYPE_CHECKING:
    import albumentations as albumentations
    import av as av
    import cv2 as cv2
    import easyocr as easyocr
    import numpy as np
    import onnxruntime as onnxruntime
    import rapidocr as rapidocr
    import segmentation_models_pytorch as segmentation_models_pytorch
    import supervision as supervision
    import torch as torch
    import torchvision as torchvision
    import trackers as trackers
    import ultralytics as ultralytics
else:
    albumentations = LazyModule("albumentations")
    av = LazyModule("av")
    cv2 = LazyModule("cv2")
    easyocr = LazyModule("easyocr")
    np = LazyModule("numpy")
    onnxruntime = LazyModule("onnxruntime")
    rapidocr = LazyModule("rapidocr")
    segmentation_models_pytorch = LazyModule("segmentation_models_pytorch")
    supervision = LazyModule("supervision")
    torch = LazyModule("torch")
    torchvision = LazyModule("torchvision")
    trackers = LazyModule("trackers")
    ultralytics = LazyModule("ultralytics")
