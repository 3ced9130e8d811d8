"""Non-maximum suppression on the device: by torchvision, as :func:`visionkit.backends.nms` does it."""

from __future__ import annotations

from typing import Any

from visionkit.lazy import torchvision


def kept(xyxy: Any, scores: Any, group: Any, threshold: float) -> Any:
    """Which boxes stay when each suppresses the lower-scored ones of its group that overlap it.

    All pictures of a batch at once: a group is a class of a picture, or a picture where classes do not matter.

    Args:
        xyxy: boxes (N, 4).
        scores: (N,); ties stay in the order they came.
        group: (N,) integers.
        threshold: boxes go if their intersection over union with a kept one is above it.

    Returns:
        Indices (M,), best first.
    """
    if not len(xyxy):
        return group.new_empty(0)
    # Groups are told apart by moving them away from each other: doubles, so that boxes stay what they are, and none
    # negative, so that they stay apart.
    boxes = xyxy.double()
    return torchvision.ops.batched_nms(boxes - boxes.min(), scores.double(), group, threshold)
