"""What lies at an address: found, fetched, written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO
from zlib import crc32

from visionkit.errors import SourceError, UsageError
from visionkit.lazy import load
from visionkit.media.redact import redact, redact_text

STORES = ("s3", "memory")
SCHEMES = (*STORES, "http", "https")
MOST = 256 << 20
"""Bytes of one file, at most."""
_WAIT = 20.0
_BLOCK = 1 << 20
_WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Found:
    """One file: where it is, its size in bytes, and a number that changes when it does."""

    url: str
    size: int = 0
    stamp: int = 0


def scheme(text: str) -> str:
    """In lower case; empty for a path."""
    head, separator, _ = text.partition("://")
    return head.lower() if separator else ""


def is_remote(text: str) -> bool:
    """Whether it is an address that :func:`fetch` may be asked for."""
    return scheme(text) in SCHEMES


def find(url: str) -> list[Found]:
    """The file at an address, or all files below a folder of a store, or those that match a pattern.

    Raises:
        SourceError: nobody answers, or there is no such bucket, or no such file of a web server.
    """
    if scheme(url) not in STORES:
        from visionkit.media.remote import web

        return [Found(url, *web.size_and_stamp(url))]
    with _named(url):
        system, path = _system(scheme(url)), url.partition("://")[2].rstrip("/")
        if not system.exists(path.partition("/")[0]):
            raise SourceError(f"{redact(url)}: there is no bucket {path.partition('/')[0]!r}, or not for this key")
        entries = (system.glob if _WILD & set(path) else system.find)(path, detail=True)
        files = {name: info for name, info in entries.items() if info["type"] == "file"}
    return [_found(f"{scheme(url)}://{name.lstrip('/')}", info) for name, info in files.items()]


def _found(url: str, info: dict[str, Any]) -> Found:
    changed = info.get("mtime") or info.get("created")
    return Found(url, int(info.get("size") or 0), crc32(str(changed).encode()))


def fetch(url: str, most: int = MOST) -> bytes:
    """What a file holds.

    Raises:
        SourceError: it cannot be had, or is larger than ``most``.
    """
    if scheme(url) not in STORES:
        from visionkit.media.remote import web

        return web.fetch(url, most)
    with _named(url), _system(scheme(url)).open(url.partition("://")[2], "rb") as file:
        return read_at_most(file, most, url)


def read_at_most(file: BinaryIO | Any, most: int, url: str) -> bytes:
    """All of a stream, unless it is longer than ``most`` bytes: then a SourceError."""
    data = bytearray()
    while block := file.read(_BLOCK):
        data += block
        if len(data) > most:
            raise SourceError(f"{redact(url)}: more than {most >> 20} MiB", help="copy it here first")
    return bytes(data)


@contextmanager
def open_for_writing(url: str) -> Iterator[BinaryIO]:
    """A file of a store, there under its name once it is whole.

    Raises:
        SourceError: it cannot be written.
    """
    with _named(url), _system(scheme(url)).open(url.partition("://")[2], "wb") as file:
        yield file


@contextmanager
def _named(url: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{redact(url)}: there is no such file") from error
    except OSError as error:
        raise SourceError(f"{redact(url)}: {redact_text(str(error)).partition(' (Request ID')[0]}") from error


@cache
def _system(name: str) -> Any:
    """The file system of a scheme; S3's finds its keys, region and endpoint where AWS' tools look for them."""
    if name == "memory":
        return load("fsspec").filesystem("memory")
    if name != "s3":
        raise UsageError(f"{name}:// is not read", help=f"one of {', '.join(SCHEMES)}")
    wrapper = load("fsspec.implementations.arrow").ArrowFSWrapper
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    limits = {"connect_timeout": _WAIT, "request_timeout": _WAIT}
    return wrapper(load("pyarrow.fs").S3FileSystem(endpoint_override=endpoint, **limits))
