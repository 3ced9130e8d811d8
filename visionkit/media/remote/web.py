"""Single files of web servers, over HTTP without redirects, with a limit of bytes and of time."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from zlib import crc32

from visionkit.errors import SourceError
from visionkit.media.redact import redact

WAIT = 20.0
"""Seconds until an answer begins, and between two parts of it."""
LONGEST = 120.0
"""Seconds that a file may take in all."""
_BLOCK = 1 << 16


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        """Another address is not followed: it becomes an error."""


def fetch(url: str, most: int) -> bytes:
    """What lies there.

    Raises:
        SourceError: it cannot be had, takes too long, or is larger than ``most`` bytes.
    """
    data, until = bytearray(), monotonic() + LONGEST
    with _answer(url, "GET") as answer:
        while block := answer.read(_BLOCK):
            data += block
            if len(data) > most:
                raise SourceError(f"{redact(url)}: more than {most >> 20} MiB", help="copy it here first")
            if monotonic() > until:
                raise SourceError(f"{redact(url)}: not there after {LONGEST:g} s")
    return bytes(data)


def size_and_stamp(url: str) -> tuple[int, int]:
    """Bytes, and a number that changes with the file; zeros where the server does not say.

    Raises:
        SourceError: nobody answers.
    """
    try:
        with _answer(url, "HEAD") as answer:
            known = answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
            length = answer.headers.get("Content-Length") or "0"
            return int(length) if length.isdecimal() else 0, crc32(known.encode())
    except SourceError as error:
        if "answers 405" in error.message or "answers 501" in error.message:  # a server without HEAD
            return 0, 0
        raise


@contextmanager
def _answer(url: str, method: str) -> Iterator[HTTPResponse]:
    try:
        with build_opener(_Stay).open(_request(url, method), timeout=WAIT) as answer:
            yield answer
    except HTTPError as error:
        error.close()
        other = "; redirects are not followed, give that address itself" if 300 <= error.code < 400 else ""
        raise SourceError(f"{redact(url)}: the server answers {error.code} {error.reason}{other}") from error
    except (URLError, OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise SourceError(f"{redact(url)}: {getattr(reason, 'strerror', None) or reason}") from error


def _request(url: str, method: str) -> Request:
    """With user and password in a header, where the address has them."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    headers = {"User-Agent": "visionkit"}
    if at:
        headers["Authorization"] = "Basic " + base64.b64encode(unquote(user).encode()).decode()
    return Request(urlunsplit(parts._replace(netloc=host)), headers=headers, method=method)
