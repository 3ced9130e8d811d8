"""YOLO networks in Ultralytics checkpoints: the bare module, without the library's predictor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from threading import Lock
from typing import Any

from visionkit.backends.model import Settings
from visionkit.backends.torchnet import Call, TorchModel
from visionkit.errors import WeightsError
from visionkit.lazy import torch
from visionkit.weights.contained import load_ultralytics
from visionkit.weights.entry import Entry
from visionkit.weights.safe import load_torch


class YoloModel(TorchModel):
    """A YOLO of Ultralytics, v5u to 26. Its head keeps the grid of the last size: one call of a copy at a time."""

    def __init__(self, entry: Entry, module: Any, settings: Settings) -> None:
        head = module.model[-1]
        head.export = True  # decoded predictions alone, without the raw ones that training wants
        super().__init__(entry, module, settings)
        if settings.precision in ("fp16", "bf16"):
            _decode_in_float(head)
        self.output = "yolo-end2end" if getattr(head, "end2end", False) else "yolo"
        self._lock = Lock()

    def forward(self, batch: Any, call: Call | None = None) -> tuple[Any, ...]:
        with self._lock if self.streams == 1 else nullcontext():
            return super().forward(batch, call)


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


def _decode_in_float(head: Any) -> None:
    """The head turns its outputs into boxes in fp32: fp16 knows coordinates in steps of half a pixel, bf16 of four."""
    decode = head._inference
    head.dfl.float()
    head._inference = lambda predictions: decode(_floats(predictions))


def _floats(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.float()
    if isinstance(value, Mapping):
        return {key: _floats(one) for key, one in value.items()}
    return [_floats(one) for one in value] if isinstance(value, list | tuple) else value


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
