"""From the camera to the page: every frame carries its number as a pattern, and a bare loop reads the same stream."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.page.conftest import Live, measured, wait_for

pytestmark = pytest.mark.alone
FPS, SECONDS = 25, 5
BITS, BLOCK = 16, 20
"""The number in a row of blocks, its complement in a row below."""

LOOK = """([bits, block]) => {
  const image = document.querySelector('.tile img');
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [bits * block, 2 * block];
  const context = canvas.getContext('2d', {willReadFrequently: true});
  window.seen = {};
  const look = () => {
    context.drawImage(image, 0, 0);
    const bit = (i, row) => context.getImageData((i + .5) * block, (row + .5) * block, 1, 1).data[1] > 127;
    let [number, valid] = [0, true];
    for (let i = 0; i < bits; i++) {
      number = 2 * number + bit(i, 0);
      valid &&= bit(i, 0) !== bit(i, 1);
    }
    if (valid && !(number in window.seen)) window.seen[number] = (performance.timeOrigin + performance.now()) / 1000;
    requestAnimationFrame(look);
  };
  look();
}"""


SLIDE = """async (value) => {
  const canvas = new OffscreenCanvas(1, 1);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  const shade = () => {
    context.drawImage(document.querySelector('.tile img'), 300, 170, 1, 1, 0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[1];
  };
  const [slider, began] = [document.querySelector('.field[data-name=add] input[type=range]'), performance.now()];
  slider.value = value;
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  const seconds = () => (performance.now() - began) / 1000;
  while (Math.abs(shade() - 90 - value) > 12 && seconds() < 10) await new Promise(requestAnimationFrame);
  return seconds();
}"""


def frame(number: int) -> bytes:
    """JPEG of a frame with its number in it."""
    bits = np.array([number >> (BITS - 1 - i) & 1 for i in range(BITS)], np.uint8)
    pixels = np.full((180, BITS * BLOCK, 3), 90, np.uint8)
    pixels[: 2 * BLOCK] = (np.kron([bits, 1 - bits], np.ones((BLOCK, BLOCK), np.uint8)) * 255)[..., None]
    cv2.circle(pixels, (number * 7 % 320, 120), 20, (40, 200, 60), -1)
    return cv2.imencode(".jpg", pixels)[1].tobytes()


def number_in(pixels: Any) -> int:
    bits = pixels[BLOCK // 2, BLOCK // 2 :: BLOCK][:BITS] > 127
    return int("".join("01"[int(bit)] for bit in bits), 2)


class Camera(ThreadingHTTPServer):
    """MJPEG, the same frame to everybody at the same moment; ``sent`` says when."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Viewer)
        self.sent: dict[int, float] = {}
        self.newest = (0, b"")
        self.changed = threading.Condition()
        for work in (self.serve_forever, self.film):
            threading.Thread(target=work, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/cam"

    def film(self) -> None:
        for number in range(1, 2**BITS):
            data = frame(number)
            with self.changed:
                self.newest, self.sent[number] = (number, data), time.time()
                self.changed.notify_all()
            time.sleep(1 / FPS)


class Viewer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frameframeframe")
        self.end_headers()
        camera: Any = self.server
        number = 0
        try:
            while True:
                with camera.changed:
                    camera.changed.wait_for(lambda last=number: camera.newest[0] > last)
                    number, data = camera.newest
                head = f"--frameframeframe\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n".encode()
                self.wfile.write(head + data + b"\r\n")
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    made = Camera()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory, browser: Any, camera: Camera) -> Iterator[Any]:
    """The page of the camera in Chromium."""
    page = Live(tmp_path_factory.mktemp("film"), "--stage", "filter.brightness", camera.url).up()
    made = browser.new_page()
    made.goto(page.url)
    made.wait_for_selector(".tile img")
    yield made
    made.close()
    page.stop()


def bare_loop(url: str, seen: dict[int, float], stop: threading.Event) -> None:
    with av.open(url, options={"fflags": "nobuffer", "analyzeduration": "500000"}) as stream:
        for decoded in stream.decode(video=0):
            seen[number_in(decoded.to_ndarray(format="gray"))] = time.time()
            if stop.is_set():
                return


def test_the_page_is_at_most_two_frames_behind_a_bare_loop(tab: Any, camera: Camera) -> None:
    bare: dict[int, float] = {}
    stop = threading.Event()
    loop = threading.Thread(target=bare_loop, args=(camera.url, bare, stop))
    loop.start()
    tab.evaluate(LOOK, [BITS, BLOCK])
    wait_for(lambda: len(tab.evaluate("Object.keys(seen)")) > 5 and len(bare) > 5, 20)
    began = time.time()
    time.sleep(SECONDS)
    stop.set()
    loop.join(10)
    shown = {int(number): at for number, at in tab.evaluate("seen").items()}
    both = [n for n, at in camera.sent.items() if at > began and n in shown and n in bare]
    delays = [statistics.median(seen[n] - camera.sent[n] for n in both) for seen in (bare, shown)]
    found = (len(both), FPS * SECONDS, *(delay * 1000 for delay in delays))
    measured.info("%d of %d frames; to the bare loop %.0f ms, to the page %.0f ms", *found)
    assert len(both) > FPS * SECONDS / 4
    assert delays[1] - delays[0] <= 2 / FPS


def test_a_slider_changes_the_picture_within_a_second(tab: Any) -> None:
    seconds = [tab.evaluate(SLIDE, value) for value in (60, -60, 90, 0)]
    measured.info("slider to picture: %s s", [round(s, 2) for s in seconds])
    assert sorted(seconds)[1] < 1.0, seconds
