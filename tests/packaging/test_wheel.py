"""The wheel works without the checkout: it carries weights, pipelines and samples and starts anywhere.

The demo runs from it in ``tests/app/test_demo.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
BUNDLED = ("pipelines", "samples", "weights")


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints; its error output in the assertion when it fails."""
    done = subprocess.run(
        list(map(str, command)), cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def python(code: str, site: Path) -> str:
    """What the code prints with the installed wheel, far from the checkout."""
    return run(sys.executable, "-W", "error", "-c", code, cwd=site.parent, PYTHONPATH=str(site))


def test_it_is_imported_from_the_wheel_and_typed(installed: Path) -> None:
    assert python("import visionkit; print(visionkit.__file__)", installed) == str(
        installed / "visionkit" / "__init__.py"
    )
    assert (installed / "visionkit" / "py.typed").exists()


@pytest.mark.parametrize("name", BUNDLED)
def test_it_carries_every_bundled_file(installed: Path, root: Path, name: str) -> None:
    folder = Path(python(f"from visionkit.resources import resource_dir; print(resource_dir({name!r}))", installed))
    assert folder == installed / "visionkit" / "_data" / name
    tracked = run("git", "ls-files", "-z", name, cwd=root).split("\0")
    missing = [path for path in filter(None, tracked) if not (folder.parent / path).exists()]
    assert tracked != [""]
    assert not missing


def test_its_stages_and_outputs_are_those_of_the_checkout(installed: Path) -> None:
    from visionkit.stage.catalogue import sinks, stages

    code = "from visionkit.stage.catalogue import sinks, stages; print(*stages().names(), *sinks().names())"
    assert python(code, installed).split() == [*stages().names(), *sinks().names()]


def test_every_bundled_pipeline_validates(installed: Path) -> None:
    files = sorted((installed / "visionkit" / "_data" / "pipelines").glob("*.yaml"))
    assert len(files) >= 10
    run(installed / "bin" / "visionkit", "validate", *files, cwd=installed.parent, PYTHONPATH=str(installed))


def test_the_console_script_starts(installed: Path) -> None:
    shown = run(installed / "bin" / "visionkit", "--help", cwd=installed.parent, PYTHONPATH=str(installed))
    assert "validate" in shown


def test_the_metadata_is_right(installed: Path) -> None:
    (folder,) = installed.glob("visionkit-*.dist-info")
    metadata = (folder / "METADATA").read_text("utf-8")
    assert "License-Expression: Apache-2.0" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert (folder / "licenses" / "LICENSE").exists()
