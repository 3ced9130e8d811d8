"""``--show``: a window where OpenCV has one and there is a screen, a clear message where not."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from tests.page.conftest import Live, wait_for
from visionkit.app.live import window
from visionkit.errors import UsageError

GREEN = (40, 200, 60)  # BGR
BUILT = "  GUI:                           {}\n"


def photo(folder: Path) -> Path:
    path = folder / "photo.png"
    cv2.imwrite(str(path), np.full((240, 320, 3), GREEN, np.uint8))
    return path


def built(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(window, "cv2", SimpleNamespace(getBuildInformation=lambda: text))


@pytest.mark.parametrize("kind", ["NONE", ""])
def test_an_opencv_without_windows(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    built(monkeypatch, BUILT.format(kind) if kind else "")
    with pytest.raises(UsageError, match="built without windows") as caught:
        window.check_windows()
    assert "visionkit live shows the same in a browser" in caught.value.help
    assert "pip install" in caught.value.help


@pytest.mark.skipif(sys.platform != "linux", reason="others have a screen always")
def test_no_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    built(monkeypatch, BUILT.format("QT5"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="DISPLAY is not set") as caught:
        window.check_windows()
    assert "browser" in caught.value.help
    monkeypatch.setenv("DISPLAY", ":0")
    window.check_windows()


@pytest.mark.skipif(sys.platform != "linux", reason="others have a screen always")
def test_the_command_says_so_and_does_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "visionkit", "run", "--stage", "filter.blur", str(photo(tmp_path)), "--show"]
    env = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert "--show: " in done.stderr
    assert "visionkit live shows the same in a browser" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


@dataclass(frozen=True)
class Display:
    """A display in memory, and the file with its pixels."""

    name: str
    file: Path

    def pixels(self) -> Any:
        """What it shows now (480, 640, 3)."""
        data = self.file.read_bytes()
        header = np.frombuffer(data, ">u4", 25)  # X Window Dump: its own size first, the number of colours at 19
        start = int(header[0] + header[19] * 12)
        return np.frombuffer(data, np.uint8, 480 * 640 * 4, start).reshape(480, 640, 4)[..., :3].astype(int)


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    if re.search(r" GUI: +NONE", cv2.getBuildInformation()):
        pytest.skip("this OpenCV was built without windows")
    if shutil.which("Xvfb") is None:
        pytest.skip("no display in memory: apt-get install xvfb")
    read, write = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(write),
        "-screen",
        "0",
        "640x480x24",
        "-nolisten",
        "tcp",
        "-fbdir",
        str(tmp_path),
    ]
    process = subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as numbers:
        number = int(numbers.readline())
    yield Display(f":{number}", tmp_path / "Xvfb_screen0")
    process.terminate()
    process.wait()


def test_a_window_shows_the_picture(live: Callable[..., Live], display: Display, tmp_path: Path) -> None:
    def green() -> int:
        return int((np.abs(display.pixels() - GREEN).max(axis=2) < 8).sum())

    env = {"DISPLAY": display.name, "QT_QPA_PLATFORM": "xcb"}
    page = live("--stage", "filter.blur", photo(tmp_path), "--show", env=env)
    wait_for(lambda: green() > 0.98 * 320 * 240, 30, lambda: page.said)
    began = time.monotonic()
    page.process.send_signal(signal.SIGINT)
    assert page.process.wait(10) in (0, 130)
    assert time.monotonic() - began < 5
    wait_for(lambda: green() == 0, 5)
