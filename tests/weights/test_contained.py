"""Loading a YOLO leaves the other packages and the user's home as they were."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import cv2, torch, PIL.Image
before = PIL.Image.open, cv2.imread, cv2.imwrite, cv2.imshow, torch.save
from visionkit.weights.contained import load_ultralytics
tasks = load_ultralytics("ultralytics.nn.tasks")
assert (PIL.Image.open, cv2.imread, cv2.imwrite, cv2.imshow, torch.save) == before
assert load_ultralytics() is __import__("ultralytics")
print(tasks.DetectionModel("yolo11n.yaml", verbose=False).stride.max().item())
"""


@pytest.mark.slow
def test_ultralytics_is_contained(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics")
    home, cache = tmp_path / "home", tmp_path / "cache"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("YOLO", "XDG"))}
    environment |= {"HOME": str(home), "VISIONKIT_CACHE": str(cache), "MPLCONFIGDIR": str(tmp_path / "plots")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=170
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "32.0\n"
    assert [path.name for path in home.rglob("*") if "ltralytics" in path.name] == []
    assert (cache / "Ultralytics" / "settings.json").exists()
