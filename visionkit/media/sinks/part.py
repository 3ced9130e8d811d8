"""Files that appear under their name only when they are whole: written as ``name.part``, renamed at the end."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from visionkit.errors import DiskFullError, SinkError

_FULL = {errno.ENOSPC, errno.EDQUOT}


def part_of(path: Path) -> Path:
    """The name of ``path`` while it is being written."""
    return path.with_name(path.name + ".part")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns an OSError of any library into a named error that says which output it was.

    Raises:
        DiskFullError: no room or no quota left.
        SinkError: anything else the operating system refuses.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            help = "make room there, or choose another folder with -o"
            raise DiskFullError(f"{path}: no room left on the disk", help=help) from error
        raise SinkError(f"{path}: {error.strerror or error}") from error


def write_whole(path: Path, data: bytes) -> Path:
    """Writes ``data`` to the part of ``path`` and returns the part; after an error nothing is left."""
    part = part_of(path)
    with writing(path):
        try:
            try:
                _fill(part, data)
            except FileNotFoundError:  # the first of its folder
                path.parent.mkdir(parents=True, exist_ok=True)
                _fill(part, data)
        except OSError:
            with suppress(OSError):
                part.unlink()
            raise
    return part


def _fill(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:  # noqa: PTH123  for every picture of a run
        file.write(data)


def finish(path: Path, sync: bool = True) -> None:
    """Gives a finished part its name; ``sync`` waits until the disk has it."""
    part = part_of(path)
    with writing(path):
        if sync:
            _fsync(part)
        part.replace(path)


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
