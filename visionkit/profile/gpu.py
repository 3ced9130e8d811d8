"""How busy an NVIDIA GPU is, as its driver says. Not yet run on a GPU."""

from __future__ import annotations

import importlib
import os
from typing import Any


class Gpu:
    """Asks the driver through ``pynvml``, where that is installed and finds a GPU; CUDA's first is watched."""

    def __init__(self) -> None:
        self.loads: list[int] = []
        self._library: Any = None
        try:
            self._library = importlib.import_module("pynvml")
            self._library.nvmlInit()
            self._device = self._library.nvmlDeviceGetHandleByIndex(_first())
        except Exception:  # noqa: BLE001  no library, no driver, no GPU: its errors have no base class in common
            self._library = None

    @property
    def idle(self) -> float | None:
        """The share of time in which nothing ran on it; None without one."""
        return 1 - sum(self.loads) / len(self.loads) / 100 if self.loads else None

    def look(self) -> None:
        if self._library is not None:
            self.loads.append(int(self._library.nvmlDeviceGetUtilizationRates(self._device).gpu))

    def close(self) -> None:
        if self._library is not None:
            self._library.nvmlShutdown()


def _first() -> int:
    """The driver's number of what CUDA calls 0."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip()
    return int(visible) if visible.isdigit() else 0
