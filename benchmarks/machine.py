"""The machine in words that say nothing about whose it is."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

WORKERS = ("numpy", "opencv-python", "av", "onnxruntime", "openvino", "torch", "torchvision")
PEERS = ("ultralytics", "supervision", "trackers", "rapidocr", "easyocr", "ray")


def describe() -> dict[str, str]:
    """Processor, cores, system, Python and the versions of what does the work."""
    found = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "system": platform.system(),
        "python": platform.python_version(),
        "visionkit": _version("visionkit") or _own_version(),
    }
    found |= {name: number for name in (*WORKERS, *PEERS) if (number := _version(name))}
    return found | load("began")


def load(when: str) -> dict[str, str]:
    """How many processes wanted a core in the last minute."""
    return {f"load when it {when}": f"{os.getloadavg()[0]:.1f}"} if hasattr(os, "getloadavg") else {}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _own_version() -> str:
    from visionkit import __version__

    return str(__version__)
