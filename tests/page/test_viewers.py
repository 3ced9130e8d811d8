"""Viewers cost the run nothing: stalled ones do not slow it down, those that come and go leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.page.conftest import Live, measured, wait_for
from visionkit.app.live.mjpeg import Stream
from visionkit.app.live.views import Jpeg

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc"),
]
BUSY = "stages:\n  - filter.blur: {size: 31}\n  - edges.canny\n  - filter.bilateral: {diameter: 15}\n"
BUSY += "outputs:\n  - live: {quality: 95}\n"  # large pictures: the buffers of who takes none are soon full
GET = b"GET /stream/0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
SECONDS, MOST = 1.5, 10


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[Live]:
    """More cameras than the pipeline can follow, so that its rate is what is left for it."""
    folder = tmp_path_factory.mktemp("busy")
    (folder / "p.yaml").write_text(BUSY)
    cameras = [folder / f"{number}.mp4" for number in range(4)]
    for camera in cameras:
        camera.symlink_to(samples / "walk.mp4")
    page = Live(folder, "p.yaml", *cameras).up()
    yield page
    page.stop()


def viewer(page: Live, room: int = 4096) -> socket.socket:
    """One who asks for the stream; with little room, what is not taken soon fills it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    made.settimeout(10)
    made.connect(("127.0.0.1", page.port))
    made.sendall(GET)
    return made


def viewers(page: Live) -> int:
    return int(page.json("/api/state")["viewers"])


def out(page: Live) -> float:
    """Frames that came out until now."""
    found = re.findall(r"^visionkit_frames_out_total\{.*\} (\d+)$", page.ask("/metrics")[2].decode(), re.MULTILINE)
    return sum(map(float, found))


def spent(page: Live) -> float:
    """Processor seconds of the page's process."""
    fields = Path(f"/proc/{page.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def window(page: Live) -> tuple[float, float]:
    """Frames a second, and processor seconds a frame."""
    began, frames, cost = time.monotonic(), out(page), spent(page)
    time.sleep(SECONDS)
    done = out(page) - frames
    return done / (time.monotonic() - began), (spent(page) - cost) / done


def crowded(page: Live, count: int) -> tuple[float, float]:
    """:func:`window` while so many viewers take nothing."""
    stuck = [viewer(page) for _ in range(count)]
    wait_for(lambda: viewers(page) == count, 10)
    time.sleep(1.5)  # until nothing more goes into their buffers
    found = window(page)
    assert viewers(page) == count, "they are still there"
    for one in stuck:
        one.close()
    wait_for(lambda: viewers(page) == 0, 15)
    return found


def test_twenty_stalled_viewers_cost_nothing(busy: Live) -> None:
    """By turns, and the best of each: other programs take away time now and then."""
    quiet: list[tuple[float, float]] = []
    stalled: list[tuple[float, float]] = []
    fps, cost = 0.0, 9.9
    while len(quiet) < MOST and (len(quiet) < 3 or fps < 0.95 or cost > 1.05):
        quiet.append(window(busy))
        stalled.append(crowded(busy, 20))
        fps = max(rate for rate, _ in stalled) / max(rate for rate, _ in quiet)
        cost = min(spent for _, spent in stalled) / min(spent for _, spent in quiet)
    measured.info("with 20 stalled viewers: %.3f of the fps, %.3f of the processor time a frame", fps, cost)
    measured.info("fps, seconds a frame: %s without, %s with", quiet, stalled)
    assert fps >= 0.85, "the aim is 0.95 (0.93 to 1.03 were measured); less than this is gross"
    assert cost <= 1.15, "the aim is 1.05"


def held(page: Live) -> tuple[int, int, float]:
    """Threads, open files, megabytes."""
    here = Path(f"/proc/{page.process.pid}")
    resident = int((here / "statm").read_text().split()[1]) * 4096 / 1e6
    return len(list((here / "task").iterdir())), len(list((here / "fd").iterdir())), resident


def test_twenty_who_come_and_go_leave_nothing(busy: Live) -> None:
    def come_and_go(count: int) -> None:
        here: list[socket.socket] = []
        for number in range(count):  # five at a time, each comes before another one goes
            here.append(viewer(busy, 65536))
            assert here[-1].recv(65536).startswith(b"HTTP/1.1 200")
            if number % 3:
                here[-1].recv(65536)
            if len(here) == 5:
                here.pop(number % 5).close()
        for one in here:
            one.close()
        wait_for(lambda: viewers(busy) == 0, 15)

    come_and_go(20)
    busy.ask("/api/state")
    time.sleep(1)
    before = held(busy)
    come_and_go(20)
    wait_for(lambda: held(busy)[:2] <= before[:2], 10)
    after = held(busy)
    measured.info("threads, files, MB before and after: %s %s", before, after)
    assert after[0] <= before[0]
    assert after[1] <= before[1]
    assert after[2] < before[2] + 3


class Still:
    """A view that always has a picture."""

    async def newer(self, after: int, seconds: float) -> Jpeg:
        await asyncio.sleep(0)
        return Jpeg(after + 1, b"jpeg", 0.0)


def test_one_who_leaves_at_the_very_moment_of_taking_a_picture_has_left() -> None:
    async def scenario() -> None:
        both: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await both

        async def receive() -> Any:
            await both
            return {"type": "http.disconnect"}

        stream = asyncio.ensure_future(Stream(Still())({}, receive, send))  # type: ignore[arg-type]
        await asyncio.sleep(0.05)
        both.set_result(None)
        await asyncio.wait({stream}, timeout=2)
        assert stream.done()

    asyncio.run(scenario())
