"""Network cameras on loopback, for as many viewers as ask: MJPEG over HTTP at an even pace.

``python -m benchmarks.cameras VIDEO FPS`` prints its port and serves ``/0``, ``/1``, ... until its input ends, and the
processor time that it took under ``/time``. Frames are compressed beforehand, so a stream costs it little; who is too
slow misses frames, as with a real camera.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2

from benchmarks.child import ROOT

BOUNDARY = "benchmarkframe"
PICTURES = 60
LATE = 0.1
"""Seconds behind its pace at which a stream leaves frames out."""


def pictures(video: str) -> list[bytes]:
    """The first frames of a video as JPEG, quality 85, each as a part of the stream."""
    reader, found = cv2.VideoCapture(video), []
    while len(found) < PICTURES:
        ok, frame = reader.read()
        if not ok:
            break
        jpeg = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        found.append(head.encode() + jpeg + b"\r\n")
    return found


class Camera(BaseHTTPRequestHandler):
    """One viewer's stream."""

    parts: list[bytes]
    fps: float

    def do_GET(self) -> None:
        """Frames at their times, until the viewer goes."""
        self.send_response(200)
        if self.path == "/time":
            self.end_headers()
            self.wfile.write(str(time.process_time()).encode())
            return
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        began, number = time.monotonic(), 0
        while True:
            wait = began + number / self.fps - time.monotonic()
            time.sleep(max(0.0, wait))
            try:
                if wait > -LATE:
                    self.wfile.write(self.parts[number % len(self.parts)])
            except OSError:
                return
            number += 1

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def cameras(video: Path, fps: float) -> Iterator[str]:
    """Serves in a process of its own; gives the address that numbers are added to."""
    command = [sys.executable, "-m", "benchmarks.cameras", str(video), str(fps)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.stdin.close()


def main(video: str, fps: str) -> None:
    """Serve until the input ends."""
    handler = type("Paced", (Camera,), {"parts": pictures(video), "fps": float(fps)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:3])
