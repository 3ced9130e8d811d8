"""Exit codes that need something that is not there, and Ctrl-C for somebody in a hurry."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

WITHOUT = "import sys; sys.modules[sys.argv.pop(1)] = None; from visionkit.app.cli import main; main()"
"""The command line where the package of the first argument is not installed."""


def run(tmp_path: Path, *command: object) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    given = [sys.executable, *map(str, command)]
    return subprocess.run(given, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def unused() -> int:
    """A port of loopback where nobody answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_what_is_not_installed_or_not_fetched_is_6(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("stages:\n  - filter.gray: {}\n")
    done = run(tmp_path, "-c", WITHOUT, "fsspec", "run", "p.yaml", "s3://bucket/x.png")
    assert done.returncode == 6, done.stderr
    assert "visionkit[remote]" in done.stderr
    (tmp_path / "net.yaml").write_text("stages:\n  - detect: {weights: fcos_resnet50_fpn}\n")
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((32, 32, 3), np.uint8))
    done = run(tmp_path, "-m", "visionkit", "run", "net.yaml", "x.png", "--offline")
    assert done.returncode == 6, done.stderr
    assert "VK312" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_input_that_nobody_gives_is_7(tmp_path: Path, unused: int) -> None:
    (tmp_path / "p.yaml").write_text("stages:\n  - filter.gray: {}\n")
    done = run(tmp_path, "-m", "visionkit", "run", "p.yaml", f"http://127.0.0.1:{unused}/x.png")
    assert done.returncode == 7, done.stderr
    assert "VK320" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["run", "profile"])
def test_a_second_ctrl_c_ends_at_once(tmp_path: Path, name: str) -> None:
    """The picture takes minutes; the first Ctrl-C waits for it, the second does not. No scratch of it stays."""
    (tmp_path / "p.yaml").write_text("stages:\n  - filter.nlm: {search: 61}\noutputs: [media, jsonl]\n")
    cv2.imwrite(str(tmp_path / "x.png"), np.zeros((4000, 4000, 3), np.uint8))
    command = [sys.executable, "-m", "visionkit", name, "p.yaml", "x.png", "--workers", "1"]
    command += ["-o", "out"] if name == "run" else []
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with (tmp_path / "log.txt").open("w") as log:
        process = subprocess.Popen(["nice", *command], cwd=tmp_path, stdout=log, stderr=log, env=environment)
    try:
        _until(lambda: any(tmp_path.glob("*/results.jsonl.part")), process)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _until(lambda: "again to quit" in (tmp_path / "log.txt").read_text(), process)
        time.sleep(0.5)
        assert process.poll() is None, "it finishes what is in flight"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    finally:
        process.kill()
        process.wait()
    assert not (tmp_path / "out" / "x.png").exists()
    assert not list(tmp_path.glob("visionkit-*"))


def _until(what: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while not what():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
