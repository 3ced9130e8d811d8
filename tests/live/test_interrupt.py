"""Ctrl-C at any moment: the command ends within five seconds, its files play, nothing of it is left."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import pytest

from tests.live.conftest import PASSWORD, USER, RtspServer, command, measured
from tests.page.conftest import Live, wait_for

pytestmark = pytest.mark.alone
TEXT = "stages:\n  - edges.canny\noutputs:\n  - jsonl\n  - media: {speed: fast}\n"


def started(folder: Path, *urls: str) -> subprocess.Popen[str]:
    (folder / "p.yaml").write_text(TEXT)
    run = command("run", str(folder / "p.yaml"), *urls, "-o", str(folder / "out"), "--json")
    return subprocess.Popen(run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def interrupted(process: subprocess.Popen[str]) -> tuple[float, str]:
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=20)
    seconds = time.monotonic() - began
    assert left_of(process) == []
    return seconds, out


def left_of(process: subprocess.Popen[Any]) -> list[str]:
    """Processes of its group."""
    return subprocess.run(["ps", "-o", "pid=", "-g", str(process.pid)], capture_output=True, text=True).stdout.split()


def frames_in(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("moment", [0.05, 0.5, 1.5])
def test_while_it_starts(rtsp: Callable[..., RtspServer], tmp_path: Path, moment: float) -> None:
    server = rtsp()
    process = started(tmp_path, f"door={server.url()}", "never=rtsp://127.0.0.1:9/x")
    time.sleep(moment)
    seconds, _ = interrupted(process)
    assert process.returncode in (130, -signal.SIGINT, 1 if moment < 0.1 else 130)  # Python itself may not be up yet
    assert seconds < 5
    assert not list(tmp_path.rglob("*.part"))


def test_while_one_camera_is_up_one_frozen_one_away(rtsp: Callable[..., RtspServer], tmp_path: Path) -> None:
    up, frozen = rtsp(), rtsp()
    process = started(tmp_path, f"up={up.url()}", f"frozen={frozen.url()}", "away=rtsp://127.0.0.1:9/x")
    out, deadline = tmp_path / "out" / "results.jsonl.part", time.monotonic() + 30
    while time.monotonic() < deadline and not (out.exists() and '"frozen"' in out.read_text()):
        time.sleep(0.1)
    time.sleep(1)
    line = Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
    assert "p.yaml" in line
    assert PASSWORD not in line
    assert USER not in line
    frozen.freeze()
    time.sleep(1)
    seconds, text = interrupted(process)
    frozen.thaw()
    measured.info("ended after %.1f s", seconds)
    assert process.returncode == 130
    assert seconds < 5
    summary = json.loads(text.splitlines()[-1])
    counts = {source["name"]: source for source in summary["sources"]}
    for name in ("up", "frozen"):
        assert frames_in(tmp_path / "out" / f"{name}.mp4") == counts[name]["out"] > 10
    assert counts["away"]["received"] == 0
    assert not list(tmp_path.rglob("*.part"))


FORGETS = """
import signal, sys
from visionkit.app.interrupts import remember_interrupts
remember_interrupts()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    pass  # as Python does where it came in a callback of an import
from visionkit.app.cli import main
main()
"""


def test_one_that_python_forgot(tmp_path: Path) -> None:
    arguments = ["run", "--stage", "filter.blur", "rtsp://127.0.0.1:9/x", "-o", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-c", FORGETS, *arguments], capture_output=True, text=True, timeout=30)
    assert done.returncode == 130, done.stderr


@pytest.mark.parametrize("early", [True, False])
def test_the_page_while_viewers_stall_and_it_records(
    rtsp: Callable[..., RtspServer], tmp_path: Path, early: bool
) -> None:
    (tmp_path / "p.yaml").write_text(f"{TEXT}  - record\n")
    door, away = f"door={rtsp().url()}", "away=rtsp://127.0.0.1:9/x"
    page = Live(tmp_path, tmp_path / "p.yaml", door, away, "--out", "out")
    with ExitStack() as stalled:
        stalled.callback(page.stop)
        if not early:
            wait_for(lambda: (rows := page.json("/api/state")["sources"]) and rows[0]["size"], 30)
            for text in ("GET /stream/0 HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /stream/0 HT", ""):
                one = stalled.enter_context(socket.create_connection(("127.0.0.1", page.port)))
                one.sendall(text.encode())
            assert page.json("/api/record", {"source": 0, "on": True})["ok"]
            time.sleep(2)
        began = time.monotonic()
        assert page.stop() == 130, page.said
        seconds = time.monotonic() - began
    measured.info("ended after %.1f s", seconds)
    assert seconds < 5
    assert left_of(page.process) == []
    assert "Traceback" not in page.said
    assert not list(tmp_path.rglob("*.part"))
    files = list((tmp_path / "out").rglob("*.mp4"))
    assert all(frames_in(path) > 10 for path in files if not early)
    assert len({path.parent for path in files}) == (0 if early else 3), "media, record, the button's"
