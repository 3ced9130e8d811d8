"""A real HTTP server on this machine that can misbehave, and entries that point at it."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from visionkit.weights import Catalogue, Entry, Store

CONTENT = bytes(range(256)) * 4096  # 1 MiB


@dataclass
class Site:
    """What the server has, how it behaves, and what it was asked for.

    Attributes:
        pages: path → body.
        redirects: path → where to.
        cut: body bytes after which the connection drops, once for each number in the list.
        ranges: whether it honours Range.
        pause: seconds between 64 KiB blocks.
        requests: (path, Range header) of each GET.
    """

    url: str
    pages: dict[str, bytes] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    cut: list[int] = field(default_factory=list)
    ranges: bool = True
    pause: float = 0.0
    requests: list[tuple[str, str | None]] = field(default_factory=list)


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.requests.append((self.path, wanted))
            if self.path in site.redirects:
                self.send_response(302)
                self.send_header("Location", site.redirects[self.path])
                self.end_headers()
            elif self.path not in site.pages:
                self.send_error(404)
            else:
                self._send(site.pages[self.path], wanted)

        def _send(self, body: bytes, wanted: str | None) -> None:
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and site.ranges else 0
            if start and start >= len(body):
                return self.send_error(416)
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            end = start + site.cut.pop(0) if site.cut else len(body)
            try:
                for at in range(start, min(end, len(body)), 65536):
                    self.wfile.write(body[at : min(at + 65536, end)])
                    time.sleep(site.pause)
            except OSError:
                pass  # the client has gone
            self.close_connection = True

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    """The server, on a port of its own of 127.0.0.1."""
    site = Site(url="")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's cache, imports or settings."""
    for name in ("VISIONKIT_MIRROR", "VISIONKIT_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VISIONKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("VISIONKIT_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(cache_dir=tmp_path / "cache")


MakeEntry = Callable[..., Entry]


@pytest.fixture
def make_entry(tmp_path: Path) -> MakeEntry:
    """An entry ``toy`` with one file ``net.onnx`` that has these sources."""

    def make(*sources: dict[str, str], content: bytes = CONTENT, **more: Any) -> Entry:
        spec = {
            "name": "net.onnx",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "sources": list(sources),
        }
        values = {"architecture": "toy", "loader": "onnx", "licence": "MIT", "files": [spec], **more}
        return Catalogue([tmp_path]).make(values, tmp_path / "detect" / "toy.yaml")

    return make


class Malice:
    """Unpickling it creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.target,)


def names_in(folder: Path) -> set[str]:
    """The files below a folder, locks and receipts apart."""
    aside = re.compile(r"\.lock|\..+\.verified")
    return {path.name for path in folder.rglob("*") if path.is_file() and not aside.fullmatch(path.name)}
