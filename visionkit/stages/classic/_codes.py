"""Codes that were read, as objects with a text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from visionkit.data import Detections, Image
from visionkit.data.geometry import hull
from visionkit.lazy import np


def codes(image: Image, name: str, corners: Any, columns: Mapping[str, Sequence[str]]) -> Detections:
    """Objects of class ``name``: ``corners`` (N, 4, 2) as OpenCV gives them, or None; "" becomes null."""
    outlines = np.zeros((0, 4, 2), np.float32) if corners is None else np.asarray(corners, np.float32) + 0.5
    texts = {key: np.array([value or None for value in values], dtype=object) for key, values in columns.items()}
    return Detections(
        image.canvas,
        hull(outlines.astype(np.float64)),
        np.ones(len(outlines), np.float32),
        np.zeros(len(outlines), np.int32),
        (name,),
        corners=outlines,
        columns=texts,
    )
