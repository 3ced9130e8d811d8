"""Real cameras for tests: an RTSP server on loopback that can be killed, frozen and started again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from visionkit.api import Job, Pipeline
from visionkit.data import Packet
from visionkit.media.sources import SourceOptions
from visionkit.runtime.metrics import RunSummary

PYTHON = "/usr/bin/python3"  # the one that Debian's GStreamer bindings are for
USER, PASSWORD = "viewer", "hunter2Xy"
NEEDED = (
    "import gi; gi.require_version('GstRtspServer', '1.0'); from gi.repository import Gst, GstRtspServer; "
    "Gst.init(None); assert all(map(Gst.ElementFactory.find, ('videotestsrc', 'x264enc', 'rtph264pay')))"
)
CI = bool(os.environ.get("CI"))
measured = logging.getLogger("measured")  # seen with --log-cli-level=INFO


@pytest.fixture(scope="session")
def gstreamer() -> str:
    """A Python that can serve RTSP."""
    try:
        subprocess.run([PYTHON, "-c", NEEDED], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("no RTSP server: apt-get install gstreamer1.0-plugins-{base,good,ugly} gir1.2-gst-rtsp-server-1.0")
    return PYTHON


class RtspServer:
    """``/cam0`` … ``/cam{streams - 1}``; started again, it has the port it had before."""

    def __init__(self, python: str, streams: int = 1, size: tuple[int, int] = (640, 360), fps: int = 25) -> None:
        script = str(Path(__file__).with_name("rtsp_server.py"))
        self._command = [python, script]
        self._arguments = [str(value) for value in (streams, *size, fps, USER, PASSWORD)]
        self.port = 0
        self.start()

    def start(self) -> None:
        command = [*self._command, str(self.port), *self._arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def url(self, stream: int = 0, password: str = PASSWORD) -> str:
        return f"rtsp://{USER}:{password}@127.0.0.1:{self.port}/cam{stream}"

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def rtsp(gstreamer: str) -> Iterator[Callable[..., RtspServer]]:
    """Makes servers, and ends them."""
    servers: list[RtspServer] = []

    def make(**options: Any) -> RtspServer:
        servers.append(RtspServer(gstreamer, **options))
        return servers[-1]

    yield make
    for server in servers:
        if server.process.poll() is None:
            server.kill()


class Running:
    """A run in a thread of its own, and when each packet of each source came out (``time.monotonic``)."""

    def __init__(self, text: str, inputs: list[str], out: Path, **options: Any) -> None:
        self.times: dict[str, array[float]] = {}  # small: some tests watch the memory
        self.summary: RunSummary | None = None
        self.error: BaseException | None = None
        pipeline = Pipeline.from_text(text)
        self.job = Job(pipeline.plan, pipeline._run_settings(), on_packet=self._note)
        self._run = lambda: self.job.run(inputs, out=out, options=SourceOptions(**options))
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _note(self, packet: Packet) -> None:
        if packet.failure is None:
            self.times.setdefault(packet.key.source, array("d")).append(time.monotonic())

    def _work(self) -> None:
        try:
            self.summary = self._run()
        except BaseException as error:
            self.error = error

    def state(self, name: str) -> Any:
        """What the source is doing now."""
        lanes = self.job.engine.lanes if self.job.engine else ()
        return next((s.connection for s in (lane.snapshot() for lane in lanes) if s.name == name), None)

    def wait_for(self, what: Callable[[], Any], seconds: float) -> float:
        """Seconds until ``what()`` holds; it must within ``seconds``."""
        started = time.monotonic()
        while not what():
            assert self._thread.is_alive(), self.error
            assert time.monotonic() - started < seconds, "it did not come"
            time.sleep(0.02)
        return time.monotonic() - started

    def wait_frames(self, name: str, count: int, seconds: float = 20) -> float:
        """Seconds until so many more frames of a source came out."""
        before = len(self.times.get(name, ()))
        return self.wait_for(lambda: len(self.times.get(name, ())) >= before + count, seconds)

    def stop(self) -> RunSummary:
        self.job.stop()
        self._thread.join(20)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        assert self.summary is not None
        return self.summary


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts runs below ``tmp_path / "out"``, and ends them."""
    runs: list[Running] = []

    def start(text: str, inputs: list[str], **options: Any) -> Running:
        runs.append(Running(text, inputs, tmp_path / "out", **options))
        return runs[-1]

    yield start
    for running in runs:
        running.job.stop()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "visionkit", *arguments]
