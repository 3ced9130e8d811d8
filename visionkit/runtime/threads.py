"""One thread budget for everything that would take all cores for itself."""

from __future__ import annotations

from visionkit.lazy import cv2
from visionkit.pipeline.plan import Plan, StageNode


def limit_threads(plan: Plan, workers: int, cores: int) -> None:
    """OpenCV gets one thread where several workers call it, unless a network, perhaps its own, wants the cores."""
    networks = any(isinstance(node, StageNode) and node.kind == "batch" for node in plan.walk())
    cv2.setNumThreads(cores if networks else max(1, cores // workers))
