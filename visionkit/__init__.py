"""visionkit: chain computer-vision stages with one declarative file.

>>> from visionkit import Pipeline
>>> for result in Pipeline.load("pipelines/detect.yaml").run("photo.jpg"):
...     result.detections
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from visionkit.api import Pipeline as Pipeline
    from visionkit.data import Detections as Detections
    from visionkit.data import Image as Image

_HOMES = {"Pipeline": "visionkit.api", "Detections": "visionkit.data", "Image": "visionkit.data"}
__all__ = ["Detections", "Image", "Pipeline", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'visionkit' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)
