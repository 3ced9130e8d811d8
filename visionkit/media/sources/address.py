"""Looks at an address before FFmpeg does: whether anybody listens, and whether it redirects."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from urllib.parse import SplitResult, urlsplit

PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
SECONDS = 3.0
HEAD = 8192  # bytes of an answer that are looked at
_NO_STREAM = ("json", "xml", "mpegurl")  # data, and playlists: they name addresses of their own


def listens(url: str, seconds: float = 1.0) -> bool:
    """Whether somebody accepts a connection at the address."""
    place = _place(url)
    if place is None:
        return False
    try:
        socket.create_connection(place, seconds).close()
    except OSError:
        return False
    return True


def objection(url: str) -> str:
    """Why an address is no stream of its own, when asked without credentials; empty where nothing speaks against it.

    FFmpeg follows a redirect of RTSP whatever its options say, and does not tell one of HTTP from other errors.
    """
    place = _place(url)
    if place is None:
        return ""
    try:
        with closing(_connected(url, place)) as connection:
            connection.sendall(_question(urlsplit(url), *place))
            return _objection(_head(connection))
    except (OSError, ValueError):
        return ""


def _place(url: str) -> tuple[str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme.lower())
    except ValueError:  # what FFmpeg makes of it is an error of its own
        return None
    return (parts.hostname, port) if parts.hostname and port else None


def _connected(url: str, place: tuple[str, int]) -> socket.socket:
    plain = socket.create_connection(place, SECONDS)
    if urlsplit(url).scheme.lower() not in ("rtsps", "https"):
        return plain
    context = ssl.create_default_context()  # as FFmpeg: cameras sign their certificates themselves
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=place[0])


def _question(parts: SplitResult, host: str, port: int) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    name = f"[{host}]" if ":" in host else host
    if parts.scheme.lower().startswith("rtsp"):
        lines = [f"DESCRIBE {parts.scheme}://{name}:{port}{target} RTSP/1.0", "CSeq: 1", "Accept: application/sdp"]
    else:
        lines = [f"GET {target} HTTP/1.1", f"Host: {name}:{port}", "Connection: close"]
    return "\r\n".join([*lines, "User-Agent: visionkit", "", ""]).encode()


def _head(connection: socket.socket) -> str:
    data = b""
    while b"\r\n\r\n" not in data and len(data) < HEAD and (more := connection.recv(HEAD)):
        data += more
    return data.partition(b"\r\n\r\n")[0].decode("latin-1")


def _objection(head: str) -> str:
    first, *lines = head.split("\r\n")
    status = (*first.split(), "", "")[1]
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status.startswith("3"):
        place = _place(fields.get("location", ""))
        where = f"{place[0]}:{place[1]}" if place else "another address"
        return f"it redirects to {where}; redirects are not followed, give that address itself"
    kind = fields.get("content-type", "").partition(";")[0].lower()
    other = status == "200" and (kind.startswith("text/") or kind.endswith(_NO_STREAM))
    return f"it answers with {kind}, which is no stream that is read" if other else ""
