"""Streams over HTTP and cameras, through the code that real ones take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.media.media_files import photo
from visionkit.errors import SourceError, UsageError
from visionkit.media.sources import SourceOptions, open_sources
from visionkit.media.sources.live import camera
from visionkit.stage import Frame, Gap


class Handler(BaseHTTPRequestHandler):
    """``/cam``: MJPEG without end; ``/locked``: wants a password; ``/away``: leads to ``/cam`` of another name."""

    requests: list[str]

    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_port}/cam")
            self.end_headers()
        elif self.path == "/cam":
            self.stream()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frameframeframe")
        self.end_headers()
        for number in range(1000):
            jpeg = cv2.imencode(".jpg", np.full((48, 64, 3), number * 5 % 250, np.uint8))[1].tobytes()
            try:
                head = f"--frameframeframe\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                self.wfile.write(head.encode() + jpeg + b"\r\n")
            except OSError:
                return
            time.sleep(0.01)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Any]:
    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()
    thread.join()


def frames_of(url: Any, **options: Any) -> Iterator[Frame]:
    (source,) = open_sources([url], SourceOptions(**options))
    assert source.live
    return source.frames()


def test_mjpeg_over_http(server: Any) -> None:
    frames = list(frames_of(f"http://127.0.0.1:{server.server_port}/cam", limit=8))
    assert [frame.index for frame in frames] == list(range(8))
    assert [frame.load().canvas.size for frame in frames] == [(64, 48)] * 8
    times = [frame.pts for frame in frames]
    assert times[0] == 0
    assert times == sorted(times)  # type: ignore[type-var]
    info = frames[0].info
    assert (info.kind, info.width, info.relpath) == ("live", 64, f"127-0-0-1-{server.server_port}-cam")


def test_frames_differ(server: Any) -> None:
    shades = [frame.load().gray().mean() for frame in frames_of(f"http://127.0.0.1:{server.server_port}/cam", limit=5)]
    assert len({round(shade) for shade in shades}) == 5


def test_closing_lets_go_of_the_stream(server: Any) -> None:
    before = threading.active_count()
    for _ in range(3):
        with closing(frames_of(f"http://127.0.0.1:{server.server_port}/cam")) as frames:  # type: ignore[type-var]
            next(frames)
    deadline = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert threading.active_count() <= before


@pytest.mark.parametrize("place", ["locked", "away"])
def test_a_refused_stream_is_one_error_without_the_password(server: Any, place: str) -> None:
    (frame,) = frames_of(f"http://user:hunter2@127.0.0.1:{server.server_port}/{place}")
    with pytest.raises(SourceError) as caught:
        frame.load()
    told = f"{caught.value} {caught.value!r} {frame!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "hunter2" not in told
    assert "***@127.0.0.1" in told
    assert "/cam" not in server.seen  # a redirect is not followed


def test_nobody_listens_is_tried_again_until_nobody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    (source,) = open_sources(["http://user:hunter2@127.0.0.1:9/cam"])
    threading.Timer(2.5, source.interrupt).start()  # type: ignore[attr-defined]
    started = time.monotonic()
    assert list(source.frames()) == []
    assert time.monotonic() - started < 3.5
    assert "http://***@127.0.0.1:9/cam: nobody listens there" in caplog.text
    assert caplog.text.count("trying again") in (2, 3)  # after about 0, 1 and 3 s, with jitter
    assert "hunter2" not in caplog.text


def test_other_schemes_are_refused() -> None:
    for url in ("gopher://host/a.mp4", "udp://host:1", "concat://a"):
        with pytest.raises(UsageError, match="are not read"):
            open_sources([url])


def test_the_same_camera_twice_has_two_names() -> None:
    lanes = open_sources([0, 0, "rtsp://a:b@host/x", "rtsp://c:d@host/x"])
    names = [lane.name for lane in lanes]
    assert len(set(names)) == 4
    assert len({info.relpath for lane in lanes for info in lane.infos or ()}) == 4


def test_files_and_cameras_are_lanes_of_their_own(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), photo())
    lanes = open_sources([0, tmp_path / "a.png", "http://127.0.0.1:9/cam"])
    assert [lane.live for lane in lanes] == [False, True, True]
    assert [lane.name for lane in lanes[1:]] == ["camera-0", "http://127.0.0.1:9/cam"]


def test_a_camera_that_is_not_there() -> None:
    (frame,) = frames_of(63)
    with pytest.raises(SourceError, match="camera-63: the camera cannot be opened"):
        frame.load()


def test_a_camera_through_opencv_and_its_loss(tmp_path: Path) -> None:
    """OpenCV's image sequences stand in for a device: the same class, the same calls."""
    for i in range(5):
        cv2.imwrite(str(tmp_path / f"{i:02d}.png"), np.full((48, 64, 3), i * 40, np.uint8))
    source = camera(str(tmp_path / "%02d.png"), SourceOptions(size=(64, 48), limit=7))
    items = list(source.frames())
    frames = [item for item in items if isinstance(item, Frame)]
    assert [int(frame.load().gray()[0, 0]) for frame in frames] == [0, 40, 80, 120, 160, 0, 40]
    assert [(frame.index, frame.session) for frame in frames] == [*((i, 0) for i in range(5)), (5, 1), (6, 1)]
    (gap,) = (item for item in items if isinstance(item, Gap))
    assert items.index(gap) == 5
    assert (gap.index, gap.session, gap.pts) == (5, 1, frames[4].pts)
    assert gap.seconds == pytest.approx(float(frames[5].pts - frames[4].pts), abs=1e-3)  # type: ignore[operator]
    assert 0.7 < gap.seconds < 5
    assert "no more frames" in gap.reason


def test_a_format_of_pyav() -> None:
    """No device here: what PyAV's own capture formats say of one that is missing."""
    (frame,) = frames_of("v4l2:///dev/video63")
    with pytest.raises(SourceError, match="cannot be opened"):
        frame.load()  # type: ignore[union-attr]


def test_names_of_their_own() -> None:
    lanes = open_sources(["door=rtsp://a:hunter2@host/x", "yard=0", "rtsp://host/x"])
    assert [lane.name for lane in lanes] == ["door", "yard", "rtsp://host/x"]
    assert [info.relpath for lane in lanes for info in lane.infos or ()] == ["door", "yard", "host-x"]
    assert [info.path for lane in lanes for info in lane.infos or ()][:2] == ["rtsp://***@host/x", "camera-0"]


def test_at_most_so_many_frames_a_second(server: Any) -> None:
    frames = list(frames_of(f"http://127.0.0.1:{server.server_port}/cam", limit=10, fps=20))
    assert [frame.index for frame in frames] == list(range(10))
    assert float(frames[-1].pts or 0) > 9 / 20 * 0.8
