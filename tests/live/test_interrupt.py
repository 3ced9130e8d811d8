"""Ctrl-C at any moment: the command ends within five seconds, its files play, nothing of it is left."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.live.conftest import PASSWORD, USER, RtspServer, command, measured

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
    members = subprocess.run(["ps", "-o", "pid=", "-g", str(process.pid)], capture_output=True, text=True)
    assert not members.stdout.split(), "processes of its group are left"
    return seconds, out


@pytest.mark.parametrize("moment", [0.05, 0.5, 1.5])
def test_while_it_starts(rtsp: Callable[..., RtspServer], tmp_path: Path, moment: float) -> None:
    server = rtsp()
    process = started(tmp_path, f"door={server.url()}", "never=rtsp://127.0.0.1:9/x")
    time.sleep(moment)
    seconds, _ = interrupted(process)
    assert process.returncode in (130, -signal.SIGINT)  # Python itself may not be up yet
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
        with av.open(str(tmp_path / "out" / f"{name}.mp4")) as container:
            assert sum(1 for _ in container.decode(video=0)) == counts[name]["out"] > 10
    assert counts["away"]["received"] == 0
    assert not list(tmp_path.rglob("*.part"))
