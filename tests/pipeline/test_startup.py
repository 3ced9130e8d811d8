"""Checking a file is cheap: neither torch nor OpenCV is imported, and little beyond the libraries that read it."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from benchmarks.suites.startup import BARE

HEAVY = ("torch", "cv2", "numpy", "av", "onnxruntime", "supervision")


def test_validate_imports_nothing_heavy(root: Path) -> None:
    code = (
        "import sys; sys.argv = ['visionkit', 'validate', *sys.argv[1:]]\n"
        "from visionkit.app import cli\n"
        "try: cli.main()\nexcept SystemExit: pass\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    wrong = [str(p) for p in sorted((root / "tests/pipeline/wrong").glob("*.yaml"))]
    done = subprocess.run([sys.executable, "-c", code, *wrong], capture_output=True, text=True, cwd=root, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_an_opencv_pipeline_imports_no_torch(root: Path, tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom visionkit import Pipeline\n"
        "p = Pipeline.from_text('stages: [filter.blur, edges.canny]')\n"
        "p.write(np.full((40, 60, 3), 9, np.uint8), out=sys.argv[1])\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, cwd=root, check=True
    )
    assert done.stdout.strip() == "False"
    assert list(tmp_path.iterdir())


def _cpu_seconds(command: list[str], root: Path) -> float:
    """User and system time of a whole process, which other work on the machine disturbs least."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, cwd=root, capture_output=True, check=False, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.alone
def test_validate_costs_little_more_than_its_libraries(root: Path) -> None:
    """Beside a bare interpreter that uses the same libraries once; medians of interleaved runs."""
    wrong = str(root / "tests/pipeline/wrong/02_unknown_stage.yaml")
    pairs = []
    for _ in range(8):
        ours = _cpu_seconds([sys.executable, "-m", "visionkit", "validate", wrong], root)
        pairs.append(ours / _cpu_seconds([sys.executable, "-c", BARE], root))
    ratio = median(pairs[1:])
    assert ratio <= 1.45, f"{ratio:.2f}: the aim is 1.3; more than this is gross"
