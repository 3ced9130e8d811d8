"""The command itself, ``visionkit live``, in a process of its own, and a real browser to look at it."""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

measured = logging.getLogger("measured")  # seen with --log-cli-level=INFO
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
]


class Live:
    """``visionkit live ...`` on a free port of loopback."""

    def __init__(self, folder: Path, *arguments: object, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.log = folder / "log.txt"
        command = [sys.executable, "-m", "visionkit", "live", *map(str, arguments), "--port", "0"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=folder, stderr=log, stdout=log, env={**os.environ, **(env or {})}, start_new_session=True
            )
        self.url = wait_for(self._address, 60, lambda: self.said)
        self.port = int(re.search(r":(\d+)/", self.url)[1])  # type: ignore[index]

    @property
    def said(self) -> str:
        return self.log.read_text()

    def _address(self) -> str:
        found = re.search(r"http://\S+", self.said)
        assert self.process.poll() is None, self.said
        return found[0] if found else ""

    def ask(
        self, path: str, body: Any = None, method: str = "", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers in lower case, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        own = {} if body is None else {"Content-Type": "application/json"}
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, data, {**own, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def json(self, path: str, body: Any = None) -> Any:
        return json.loads(self.ask(path, body)[2])

    def picture(self, source: int = 0, stage: str = "") -> Any:
        """The newest picture (H, W, 3)."""
        status, _, data = self.ask(f"/still/{source}?stage={stage}")
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if status == 200 else None

    def up(self) -> Live:
        """Once every source shows a picture."""
        wait_for(lambda: (rows := self.json("/api/state")["sources"]) and all(r["size"] for r in rows), 30)
        return self

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise


def wait_for(what: Callable[[], Any], seconds: float, told: Callable[[], str] = lambda: "") -> Any:
    """What ``what()`` returns once it is true; it must be within ``seconds``."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, f"not within {seconds} s: {told()}"
        time.sleep(0.03)
    return found


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Callable[..., Live]]:
    """Starts pages, and ends them."""
    started: list[Live] = []

    def start(*arguments: object, **options: Any) -> Live:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        started.append(Live(folder, *arguments, **options))
        return started[-1]

    yield start
    for page in started:
        page.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. No longer than a file: while Playwright is up, this thread has a running event loop."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=FLAGS)
        yield chromium
        chromium.close()
