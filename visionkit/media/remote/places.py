"""What lies at an address: found, fetched, written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO
from zlib import crc32

from visionkit.errors import SourceError, VisionkitError
from visionkit.media.redact import redact, redact_text
from visionkit.media.remote.stores import is_store, opened, scheme

MOST = 256 << 20
"""Bytes of one file, at most."""
_BLOCK = 1 << 20
_WILD = re.compile(r"[*?\[]")
_CHANGED = "ETag etag mtime LastModified last_modified modified modify updated created".split()
"""Where file systems say that a file is another one, the surest first."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file: where it is, its size in bytes, and a number that changes when it does."""

    url: str
    size: int = 0
    stamp: int = 0


def is_remote(text: str) -> bool:
    """Whether it is an address that :func:`fetch` may be asked for."""
    return scheme(text) in ("http", "https") or is_store(text)


def find(url: str) -> list[Found]:
    """The file at an address, or all files below a folder of a store, or those that match a pattern.

    Raises:
        SourceError: nobody answers, or there is no such bucket, or no such file of a web server.
        MissingExtraError: a package is needed that is not installed.
    """
    if not is_store(url):
        from visionkit.media.remote import web

        return [Found(url, *web.size_and_stamp(url))]
    with _named(url):
        system, path = opened(url)
        if scheme(url) == "s3" and not system.exists(path.partition("/")[0]):
            raise SourceError(f"{redact(url)}: there is no bucket {path.partition('/')[0]!r}, or not for this key")
        entries = (system.glob if _WILD.search(path) else system.find)(path, detail=True)
        files = {name: info for name, info in entries.items() if info["type"] == "file"}
    begin = len(_fixed(path).lstrip("/"))
    return [_found(_joined(_fixed(url), name.lstrip("/")[begin:]), info) for name, info in files.items()]


def _joined(folder: str, rest: str) -> str:
    between = "/" if rest and not folder.endswith("/") else ""
    return folder + between + rest.lstrip("/")


def _fixed(text: str) -> str:
    """A path or an address, or its folder above the first pattern: equally much of both."""
    wild = _WILD.search(text)
    if wild is not None:
        return text[: text.rindex("/", 0, wild.start()) + 1] if "/" in text[: wild.start()] else ""
    return text if text.endswith("://") else text.rstrip("/")


def _found(url: str, info: dict[str, Any]) -> Found:
    changed = next((info[name] for name in _CHANGED if info.get(name)), None)
    return Found(url, int(info.get("size") or 0), crc32(str(changed).encode()))


def fetch(url: str, most: int = MOST) -> bytes:
    """What a file holds.

    Raises:
        SourceError: it cannot be had, or is larger than ``most``.
    """
    if not is_store(url):
        from visionkit.media.remote import web

        return web.fetch(url, most)
    with _named(url):
        system, path = opened(url)
        with system.open(path, "rb") as file:
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
    with _named(url):
        system, path = opened(url)
        begun = f"{path}.part" if _has_folders(path) else path  # a store of objects shows only whole ones
        with system.open(begun, "wb") as file:
            yield file
        if begun != path:
            _rename(system, begun, path)


def _rename(system: Any, begun: str, path: str) -> None:
    try:
        system.mv(begun, path)
    except Exception:  # noqa: BLE001  some replace nothing, and say so each in its own way
        system.rm_file(path)
        system.mv(begun, path)


def make_folder(url: str) -> None:
    """So that files can be written there, where a file system has folders at all.

    Raises:
        SourceError: it cannot be made.
    """
    with _named(url):
        system, path = opened(url)
        if _has_folders(path):
            system.makedirs(path, exist_ok=True)


def _has_folders(path: str) -> bool:
    return path.startswith("/")


@contextmanager
def _named(url: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise SourceError(f"{redact(url)}: there is no such file") from error
    except VisionkitError:
        raise
    except Exception as error:  # every file system has errors of its own
        what = redact_text(str(error)).partition(" (Request ID")[0] or type(error).__name__
        raise SourceError(f"{redact(url)}: {what}") from error
