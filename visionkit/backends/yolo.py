"""YOLO networks in Ultralytics checkpoints: the bare module, without the library's predictor."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from visionkit.backends.model import Settings
from visionkit.backends.torchnet import TorchModel
from visionkit.errors import WeightsError
from visionkit.lazy import torch
from visionkit.weights.contained import load_ultralytics
from visionkit.weights.entry import Entry
from visionkit.weights.safe import load_torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from visionkit.lazy import np


class YoloModel(TorchModel):
    """A YOLO of Ultralytics, v5u to 26. Its head keeps the grid of the last input size, so one call runs at a time."""

    def __init__(self, entry: Entry, module: Any, settings: Settings) -> None:
        head = module.model[-1]
        head.export = True  # decoded predictions alone, without the raw ones that training wants
        super().__init__(entry, module, settings)
        self.output = "yolo-end2end" if getattr(head, "end2end", False) else "yolo"
        self._lock = Lock()

    def infer(self, batch: NDArray[np.uint8]) -> tuple[NDArray[Any], ...]:
        with self._lock:
            return super().infer(batch)


def load(entry: Entry, files: tuple[Path, ...], settings: Settings) -> YoloModel:
    """A model from one Ultralytics .pt file. It is a pickle, so it must be trusted.

    Raises:
        WeightsError: the file is not trusted, or holds no network.
        MissingExtraError: ultralytics is not installed.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(_cores()))  # Ultralytics would leave one to all threads but the first
    load_ultralytics()
    checkpoint = load_torch(files[0], trust=settings.trust)
    module = (checkpoint.get("ema") or checkpoint.get("model")) if isinstance(checkpoint, dict) else None
    if not isinstance(module, torch.nn.Module):
        raise WeightsError(f"{entry.name}: {files[0].name} is no checkpoint of Ultralytics")
    net: Any = module
    net = net.float().eval().fuse(verbose=False)
    for part in net.modules():
        if hasattr(part, "inplace"):
            part.inplace = True
    return YoloModel(entry, net, settings)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
