"""Fixtures that every test may use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")  # how long an example takes says more about the machine than about the code

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def samples(root: Path) -> Path:
    """The bundled pictures and videos."""
    return root / "samples"


@pytest.fixture(scope="session")
def shared_data(root: Path) -> Path:
    """Real pictures with ground truth, beside the checkout; tests that need them skip without."""
    folder = root.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the folder shared/data is not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with visionkit installed from its wheel; the other packages are those of this interpreter."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = ("pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile", "--target", str(folder / "site"))
    build = ("hatchling", "build", "-t", "wheel", "-d", str(folder / "dist"))
    for command, cwd in ((build, root), ((*pip, "--find-links", str(folder / "dist"), "visionkit"), folder)):
        done = subprocess.run([sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"
