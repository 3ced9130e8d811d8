"""Ultralytics without its side effects: it replaces functions of other packages and keeps settings in the home."""

from __future__ import annotations

import os
import sys
from typing import Any

from visionkit.lazy import load
from visionkit.weights.store import default_cache_dir

REPLACED = (("PIL.Image", "open"), ("cv2", "imread"), ("cv2", "imwrite"), ("cv2", "imshow"), ("torch", "save"))
"""Its own code calls its own versions of these; everybody else gets back what the packages have."""


def load_ultralytics(name: str = "ultralytics") -> Any:
    """The module ``name`` of Ultralytics; where the user has imported it already, nothing is touched.

    Raises:
        MissingExtraError: it is not installed.
    """
    if "ultralytics" in sys.modules:
        return load(name)
    os.environ.setdefault("YOLO_VERBOSE", "false")  # it would print on import
    os.environ.setdefault("YOLO_CONFIG_DIR", str(default_cache_dir()))  # its settings, in a folder of that name
    before = [(load(module), function) for module, function in REPLACED]
    kept = [getattr(module, function) for module, function in before]
    try:
        return load(name)
    finally:
        for (module, function), original in zip(before, kept, strict=True):
            setattr(module, function, original)
