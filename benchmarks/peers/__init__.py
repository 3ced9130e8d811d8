"""Peers in environments of their own, so that neither their versions nor their patches reach visionkit.

An environment is made below the folder for inputs, by uv, with the versions that the tables name: once, and anew when
they change. A peer's script stands alone: it knows nothing of visionkit.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.child import LIMIT, Worker

HERE = Path(__file__).parent
ULTRALYTICS = ("ultralytics", "torch", "torchvision", "opencv-python")
PACKAGES = {"ultralytics": ULTRALYTICS, "supervision": ("supervision", *ULTRALYTICS)}
QUIET = {"YOLO_OFFLINE": "1", "YOLO_AUTOINSTALL": "0", "YOLO_VERBOSE": "False"}


def environment(work: Path, name: str) -> Path:
    """The folder of programs of a peer's environment, made if it is not there.

    Raises:
        RuntimeError: it cannot be installed.
    """
    folder = work / "peers" / name
    programs = folder / "bin"
    wanted = [f"{package}=={found}" if (found := _version(package)) else package for package in PACKAGES[name]]
    ready = folder / "ready"
    if not ready.exists() or ready.read_text("utf-8") not in ("", "\n".join(wanted)):
        uv = [sys.executable, "-m", "uv"]
        _checked([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        target = ["--quiet", "--compile-bytecode", "--python", str(programs / "python")]
        _checked([*uv, "pip", "install", *target, *wanted])
        ready.write_text("\n".join(wanted), "utf-8")
    return programs


def worker(work: Path, name: str, script: str, **arguments: Any) -> Worker:
    """A process of the peer's environment in which ``script`` of this folder does its job, for each line anew."""
    return started(str(environment(work, name) / "python"), script, work / "peers", **arguments)


def started(python: str, script: str, config: Path = HERE, **arguments: Any) -> Worker:
    """A process of the interpreter ``python`` in which ``script`` of this folder does its job."""
    return Worker([python, str(HERE / script), json.dumps(arguments)], {**QUIET, "YOLO_CONFIG_DIR": str(config)})


def _checked(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[2:5])} failed: {done.stderr.strip()[-600:]}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
