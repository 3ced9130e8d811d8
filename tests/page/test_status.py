"""What the page tells machines: ``/metrics`` as Prometheus' own parser reads it, ``/health`` that goes bad."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.page.conftest import Live, wait_for
from visionkit.app.live.screen import Screen
from visionkit.app.live.status import STALE, Status, metrics
from visionkit.data import Image, Key, Packet
from visionkit.runtime.lanes import LaneCounts
from visionkit.runtime.metrics import NodeTime
from visionkit.stage.source import Connection, SourceInfo

ODD = 'back\\door "left"\n{x}'


class Camera:
    """What a lane needs of a source."""

    live = True
    infos = None
    connection = Connection()

    def __init__(self, name: str) -> None:
        self.name = name

    def interrupt(self) -> None:
        """Nothing to end."""


class Fake:
    """Two cameras seen by a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.screen = Screen(lambda: self.now)
        self.lanes = [LaneCounts(Camera(name)) for name in ("yard", ODD)]  # type: ignore[arg-type]
        times = (NodeTime("blur", 1.5, 30, 30, 2), NodeTime('odd "id"', 0.0, 0, 0, 1))
        self.status = Status(SimpleNamespace(engine=SimpleNamespace(lanes=self.lanes, times=times)), self.screen)  # type: ignore[arg-type]

    def frame(self, lane: int, seconds: float = 0.0) -> None:
        self.now += seconds
        name, image = self.lanes[lane]._source.name, Image(np.zeros((4, 6, 3), np.uint8))
        packet = Packet(Key(name, 0, 0), None, None, {"source": image}, None)
        self.screen.show(image, packet, SourceInfo(name, "live"))
        self.screen.take(packet)
        self.lanes[lane].book(received=2, out=1, dropped=1)
        self.lanes[lane].came_out(self.now - 0.05, self.now)


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    assert all(family.documentation and family.type in ("counter", "gauge") for family in families)
    found = {(s.name, tuple(sorted(s.labels.items()))): s.value for family in families for s in family.samples}
    assert len(found) == sum(len(family.samples) for family in families), "no sample twice"
    return found


def test_prometheus_reads_the_metrics() -> None:
    fake = Fake()
    for _ in range(3):
        fake.frame(1, 0.1)
    found = samples(metrics(fake.status, viewers=4))
    odd = (("source", ODD),)
    assert found["visionkit_frames_received_total", odd] == 6
    assert found["visionkit_frames_out_total", odd] == found["visionkit_frames_dropped_total", odd] == 3
    assert found["visionkit_frames_out_total", (("source", "yard"),)] == 0
    assert found["visionkit_source_age_seconds", odd] == 0
    assert ("visionkit_source_age_seconds", (("source", "yard"),)) not in found, "it never had a frame"
    assert found["visionkit_latency_seconds", (("quantile", "0.5"), *odd)] == pytest.approx(0.05, rel=0.02)
    assert found["visionkit_stage_seconds_total", (("stage", "blur"),)] == 1.5
    assert found["visionkit_stage_items_total", (("stage", 'odd "id"'),)] == 0
    assert found["visionkit_viewers", ()] == 4
    assert found["visionkit_healthy", ()] == 1


def test_health_goes_bad_and_comes_back() -> None:
    fake = Fake()
    assert (fake.status.health().state, fake.status.health().good) == ("starting", False)
    fake.now += STALE + 1
    assert (fake.status.health().state, fake.status.health().good) == ("stalled", False)
    fake.frame(0)
    assert fake.status.health().state == "degraded"
    assert fake.status.health().stopped == (ODD,)
    assert fake.status.health().good, "one camera of two works"
    fake.frame(1)
    assert fake.status.health().state == "ok"
    fake.now += STALE - 0.1
    assert fake.status.health().state == "ok"
    fake.now += 0.2
    assert fake.status.health().state == "stalled"
    assert samples(metrics(fake.status, 0))["visionkit_healthy", ()] == 0
    fake.frame(1)
    assert fake.status.health().state == "degraded"
    assert fake.status.health().stopped == ("yard",)


class Stops(BaseHTTPRequestHandler):
    """MJPEG that stands still while ``flowing`` is not set."""

    flowing: threading.Event

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frameframeframe")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), 99, np.uint8))[1].tobytes()
        head = f"--frameframeframe\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode()
        try:
            while True:
                time.sleep(0.05)
                self.server.flowing.wait(30)  # type: ignore[attr-defined]
                self.wfile.write(head + jpeg + b"\r\n")
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def stops() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stops)
    server.daemon_threads = True
    server.flowing = threading.Event()  # type: ignore[attr-defined]
    server.flowing.set()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.flowing.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


def test_a_camera_that_stops_and_goes_on(live: Callable[..., Live], stops: Any) -> None:
    """The real thing; ``--stall`` is long, so that only health notices."""
    url = f"door=http://user:hunter2Xy@127.0.0.1:{stops.server_port}/cam"
    page = live("--stage", "filter.blur", url, "--stall", 40).up()
    wait_for(lambda: page.ask("/health")[0] == 200, 10)
    found = samples(page.ask("/metrics")[2].decode())
    assert found["visionkit_frames_out_total", (("source", "door"),)] > 0
    assert found["visionkit_healthy", ()] == 1
    stops.flowing.clear()
    began = time.monotonic()
    wait_for(lambda: page.ask("/health")[0] == 503, 20)
    assert time.monotonic() - began > STALE - 2
    assert json.loads(page.ask("/health")[2]) == {"status": "stalled", "stopped": ["door"]}
    found = samples(page.ask("/metrics")[2].decode())
    assert found["visionkit_healthy", ()] == 0
    assert found["visionkit_source_age_seconds", (("source", "door"),)] >= STALE
    stops.flowing.set()
    wait_for(lambda: page.ask("/health")[0] == 200, 10)
    everything = "".join(page.ask(path)[2].decode() for path in ("/metrics", "/api/state", "/api/plan")) + page.said
    assert "hunter2" not in everything
