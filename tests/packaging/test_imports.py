"""Importing any module of visionkit costs little: whatever is heavy waits until it is used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = """
    PIL albumentations av cv2 easyocr granian matplotlib numpy onnxruntime openvino pandas pillow_heif pyarrow
    pycocotools rapidocr ray requests safetensors scipy segmentation_models_pytorch skimage sklearn starlette
    supervision timm torch torchvision trackers ultralytics
""".split()

# Each culprit is named once: by the first module whose import brings it.
SCRIPT = """
import importlib, pkgutil, sys
import visionkit
heavy, failed = set(sys.argv[1:]), []
for module in pkgutil.walk_packages(visionkit.__path__, "visionkit."):
    if module.name.endswith("__main__") or "._data." in module.name:
        continue
    before = set(sys.modules)
    importlib.import_module(module.name)
    if new := heavy & (set(sys.modules) - before):
        failed.append(f"{module.name} imports {', '.join(sorted(new))}")
print("\\n".join(failed))
"""


def fresh(script: str, *arguments: str, root: Path) -> str:
    """What the script prints in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_no_module_imports_anything_heavy(root: Path) -> None:
    assert fresh(SCRIPT, *HEAVY, root=root) == ""


def test_listing_the_stages_imports_nothing_heavy(root: Path) -> None:
    script = (
        "from visionkit.stage.catalogue import stages; import sys; stages(); print(*{*sys.argv[1:]} & {*sys.modules})"
    )
    assert fresh(script, *HEAVY, root=root) == ""


def test_every_package_has_its_init_file(root: Path) -> None:
    """Without it the wheel, mypy and import-linter would each see something else."""
    folders = {path.parent for path in (root / "visionkit").rglob("*.py")}
    assert [str(f.relative_to(root)) for f in sorted(folders) if not (f / "__init__.py").exists()] == []
