"""What ``backend: auto`` means on this machine: the fastest backend when it was measured, once, by ``tune``."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from visionkit.frozen import Frozen
from visionkit.weights.entry import Entry
from visionkit.weights.store import default_cache_dir

OWN = "own"
"""Whatever the entry's loader names."""
_WAY = "calls side by side, a thread each"
"""How it is measured: what was measured in another way says nothing about this one."""
_PACKAGES = ("openvino", "onnxruntime", "torch", "opencv-python", "onnxruntime-gpu", "tensorrt")


class Choice(Frozen):
    """What was measured for one network on one device.

    Attributes:
        ms: milliseconds a picture in each backend that agrees with the network's own, which is called "own"; on a CPU
            with a call for each core side by side, as runs make them.
        size: width and height of the pictures that it was measured with.
        measured: the day.
    """

    ms: Mapping[str, float]
    size: tuple[int, int]
    measured: str

    @property
    def backend(self) -> str:
        """The fastest."""
        return min(self.ms, key=lambda name: self.ms[name])

    @property
    def reason(self) -> str:
        """Why, in words."""
        others = ", ".join(f"{name} {ms:.1f}" for name, ms in sorted(self.ms.items(), key=lambda row: row[1]))
        return f"measured here on {self.measured}, ms a picture: {others}"


def remember(entry: Entry, device: str, choice: Choice, precision: str = "fp32") -> None:
    """Keep what was measured, for the weights of ``entry``, this machine, and the versions of all that took part."""
    path = _path(entry, device, precision)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(choice)), "utf-8")


def recall(entry: Entry, device: str, precision: str = "fp32") -> Choice | None:
    """What was measured, None if nothing was or a version has changed since."""
    if not _folder().is_dir():
        return None
    try:
        found = json.loads(_path(entry, device, precision).read_text("utf-8"))
        ms = {str(name): float(value) for name, value in found["ms"].items()}
        return Choice(ms, (int(found["size"][0]), int(found["size"][1])), str(found["measured"])) if ms else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return None


def _folder() -> Path:
    return default_cache_dir() / "choices"


def _path(entry: Entry, device: str, precision: str) -> Path:
    facts = [entry.digest, entry.loader, str(entry.settings), str(entry.preprocessing), device, precision, _machine()]
    facts += [_WAY]
    key = sha256(json.dumps([*facts, *map(version_of, _PACKAGES)]).encode()).hexdigest()[:16]
    return _folder() / f"{entry.name}-{key}.json"


def _machine() -> str:
    """The processor, its cores and GPUs: another machine may share the cache."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.is_file() else []
    models = [line for line in lines if line.startswith("model name")]
    told = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))  # its first line is the model
    gpus = [path.read_text("utf-8").partition("\n")[0] for path in told]
    return f"{models[0] if models else platform.processor()} {os.cpu_count()} {' '.join(gpus)}".strip()


def version_of(package: str) -> str:
    """The version of an installed package; "" if there is none of that name."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
