"""Addresses that lead elsewhere or are no stream: refused, with one clear error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from visionkit.errors import SourceError
from visionkit.media.sources.address import listens, objection
from visionkit.media.sources.capture import Refused
from visionkit.media.sources.stream import stream_pictures

ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/away": (302, {"Location": "http://127.0.0.2:1/cam?token=s3cret"}, b""),
    "/page": (200, {"Content-Type": "text/html"}, b"<html><body>welcome</body></html>" * 200),
    "/busy": (503, {}, b""),
    "/locked": (401, {"WWW-Authenticate": "Basic"}, b""),
}


class Web(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, fields, body = ANSWERS[self.path]
        self.send_response(status)
        for field in fields.items():
            self.send_header(*field)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def web() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://viewer:hunter2@127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def refusal(url: str) -> SourceError:
    with pytest.raises(SourceError) as caught, closing(stream_pictures(url)) as pictures:  # type: ignore[type-var]
        next(pictures)
    told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__context__!r}"
    assert "hunter2" not in told
    assert "s3cret" not in told
    return caught.value


@pytest.mark.parametrize(
    ("path", "why", "final"),
    [
        ("/away", r"redirects to 127\.0\.0\.2:1;", True),
        ("/page", "text/html, which is no stream|not a stream that is read", True),
        ("/busy", "5XX", False),
        ("/locked", "the user or the password is wrong", True),
    ],
)
def test_http(web: str, path: str, why: str, final: bool) -> None:
    error = refusal(web + path)
    assert isinstance(error, Refused) == final
    with pytest.raises(SourceError, match=why):
        raise error


@pytest.fixture
def rtsp_redirect() -> Iterator[Callable[[bool], tuple[str, list[bytes]]]]:
    """An RTSP server that sends everybody on to another one, and what that one hears."""
    servers: list[socket.socket] = []

    def serve(answer: Callable[[bytes], bytes]) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def work() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    while data := connection.recv(4096):
                        connection.sendall(answer(data))

        threading.Thread(target=work, daemon=True).start()
        return int(server.getsockname()[1])

    def make(at_once: bool) -> tuple[str, list[bytes]]:
        heard: list[bytes] = []
        other = serve(lambda data: heard.append(data) or b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n")  # type: ignore[func-returns-value]

        def answer(data: bytes) -> bytes:
            number = data.lower().split(b"cseq: ")[1].split(b"\r\n")[0]
            if data.startswith(b"OPTIONS") and not at_once:
                return b"RTSP/1.0 200 OK\r\nCSeq: " + number + b"\r\nPublic: DESCRIBE\r\n\r\n"
            place = f"Location: rtsp://127.0.0.1:{other}/x\r\n\r\n".encode()
            return b"RTSP/1.0 302 Moved\r\nCSeq: " + number + b"\r\n" + place

        return f"rtsp://viewer:hunter2@127.0.0.1:{serve(answer)}/cam", heard

    yield make
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize("at_once", [False, True])
def test_an_rtsp_redirect_is_not_followed(
    rtsp_redirect: Callable[[bool], tuple[str, list[bytes]]], at_once: bool
) -> None:
    url, heard = rtsp_redirect(at_once)
    error = refusal(url)
    assert isinstance(error, Refused)
    assert "redirects are not followed" in error.message
    assert heard == []


def test_a_playlist_opens_nothing() -> None:
    """Playlists name addresses of their own."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.5)
    heard = []
    ANSWERS["/evil.m3u8"] = (
        200,
        {"Content-Type": "application/vnd.apple.mpegurl"},
        f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:{server.getsockname()[1]}/x.ts\n".encode(),
    )
    web = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    refusal(f"http://127.0.0.1:{web.server_port}/evil.m3u8")
    try:
        heard.append(server.accept())
    except TimeoutError:
        pass
    finally:
        server.close()
        web.shutdown()
        web.server_close()
    assert heard == []


def test_looking_whether_anybody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listens(f"rtsp://user:hunter2@127.0.0.1:{port}/x")
    assert not listens(f"rtsp://127.0.0.1:{port}/x")
    for odd in ("rtsp://", "rtsp://host:port/x", "rtsp://[::1/x", "nothing"):
        assert not listens(odd)
        assert objection(odd) == ""
