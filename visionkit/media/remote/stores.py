"""File systems behind addresses: S3's with no more than ``visionkit[remote]``, all others as fsspec has them."""

from __future__ import annotations

import importlib.util
import os
from functools import cache
from typing import Any

from visionkit.errors import MissingExtraError, UsageError
from visionkit.lazy import load
from visionkit.media.redact import redact, redact_text

COMMON = ("s3", "memory", "gs", "gcs", "az", "abfs", "sftp", "ftp", "smb", "hdfs")
"""What is known without fsspec."""
REFUSED = frozenset(
    "async_wrapper asynclocal blockcache cached dask data dir file filecache generic git libarchive local pyscript "
    "reference simplecache tar zip http https rtsp rtsps".split()
)
"""They lead to local files or to other addresses; the last four are read in other ways."""
_WAIT = 20.0


def scheme(text: str) -> str:
    """In lower case; empty for a path."""
    head, separator, _ = text.partition("://")
    return head.lower() if separator else ""


def is_store(text: str) -> bool:
    """Whether files lie in folders at this address, and may be asked for and written there."""
    name = scheme(text)
    return bool(name) and name not in REFUSED and (name in COMMON or name in _known())


def _known() -> frozenset[str]:
    if importlib.util.find_spec("fsspec") is None:
        return frozenset()
    registry = load("fsspec.registry")
    return frozenset([*registry.known_implementations, *registry.registry])


def opened(url: str) -> tuple[Any, str]:
    """The file system of an address, and the path that it has there.

    Raises:
        UsageError: the address leads through another one.
        MissingExtraError: the package that reads such addresses is not installed.
    """
    name = scheme(url)
    if name in ("s3", "memory"):
        path = url.partition("://")[2].rstrip("/")
        return _common(name), path if name == "s3" else "/" + path.lstrip("/")
    if "::" in url:
        raise UsageError(f"{redact(url)}: addresses that lead through others (::) are not read")
    fsspec = load("fsspec")
    try:
        fsspec.get_filesystem_class(name)
    except ImportError as error:
        why = str(error.args[0] or error.__cause__) if error.args else str(error.__cause__)
        raise MissingExtraError(f"{name}:// needs a package that is not installed: {why}") from error
    try:
        system, path = load("fsspec.core").url_to_fs(f"{name}://{url.partition('://')[2]}")
    except (TypeError, ValueError) as error:
        raise UsageError(f"{redact(url)}: {redact_text(str(error))}") from error
    return system, path


@cache
def _common(name: str) -> Any:
    """S3's file system finds its keys, region and endpoint where AWS' tools look for them."""
    if name == "memory":
        return load("fsspec").filesystem("memory")
    wrapper = load("fsspec.implementations.arrow").ArrowFSWrapper
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    limits = {"connect_timeout": _WAIT, "request_timeout": _WAIT}
    return wrapper(load("pyarrow.fs").S3FileSystem(endpoint_override=endpoint, **limits))
