"""``visionkit doctor``: what this machine has, and what is wrong with it."""

from __future__ import annotations

import platform
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import find_spec

from visionkit import __version__
from visionkit.lazy import EXTRAS

PACKAGES = (
    "numpy",
    "opencv-python",
    "av",
    "onnxruntime",
    "pydantic",
    "torch",
    "torchvision",
    "ultralytics",
    "rapidocr",
)


def report() -> tuple[list[str], bool]:
    """Lines for the user, and whether nothing is wrong."""
    problems: list[str] = []
    lines = [f"visionkit {__version__} on Python {sys.version.split()[0]}, {platform.platform()}", ""]
    lines += [f"  {name:<15} {_version(name)}" for name in PACKAGES]
    lines += ["", *_opencv(problems), *_codecs(problems), *_devices(), *_weights()]
    missing = sorted({extra for module, extra in EXTRAS.items() if find_spec(module) is None})
    if missing:
        lines.append(f"extras not installed: {', '.join(missing)}  (pip install 'visionkit[{missing[0]}]')")
    lines += ["", *(f"problem: {p}" for p in problems)] if problems else ["", "all good"]
    return lines, not problems


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _opencv(problems: list[str]) -> list[str]:
    """Several OpenCV packages share one folder: the last one installed wins, and ``imshow`` may be gone."""
    found = {
        str(d.metadata["Name"]): d.version for d in distributions() if str(d.metadata["Name"]).startswith("opencv")
    }
    if len(set(found.values())) > 1:
        listed = ", ".join(f"{name} {number}" for name, number in sorted(found.items()))
        problems.append(f"OpenCV packages of different versions share the folder cv2: {listed}; keep one version")
    try:
        from visionkit.lazy import cv2

        build = cv2.getBuildInformation()
        window = next(
            (line.split()[-1] for line in build.splitlines() if line.strip().startswith(("GUI:", "QT:", "GTK"))), "?"
        )
        return [f"OpenCV {cv2.__version__} from {', '.join(sorted(found)) or 'a build of your own'}; windows: {window}"]
    except Exception as error:  # noqa: BLE001  whatever is wrong is what the user asked about
        problems.append(f"OpenCV cannot be imported: {error}")
        return []


def _codecs(problems: list[str]) -> list[str]:
    try:
        from visionkit.lazy import av

        names = sorted(n for n in ("libx264", "libx265", "libsvtav1", "libvpx-vp9") if n in av.codecs_available)
        if "libx264" not in names:
            problems.append("this PyAV cannot write H.264: reinstall av from its wheel")
        return [f"video encoders: {', '.join(names)} (GPL codecs come inside PyAV's wheel)"]
    except Exception as error:  # noqa: BLE001  whatever is wrong is what the user asked about
        problems.append(f"PyAV cannot be imported: {error}")
        return []


def _devices() -> list[str]:
    from visionkit.runtime.context import choose_device, cores

    return [f"device: {choose_device('auto')}, {cores()} cores"]


def _weights() -> list[str]:
    from visionkit.weights import Catalogue, Store

    store, entries = Store(), Catalogue.load().entries()
    present = [entry.name for entry in entries if store.present(entry)]
    return [
        f"weights: {len(present)} of {len(entries)} present in {store.cache_dir}",
        f"  {', '.join(present) or 'none yet'}",
    ]
