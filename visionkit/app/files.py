"""Files that commands write where the user says."""

from __future__ import annotations

from pathlib import Path

from visionkit.errors import SinkError


def check_writable(path: Path) -> None:
    """Before work begins: there is a folder for ``path``, and it is none itself.

    Raises:
        SinkError: there is not.
    """
    if path.is_dir():
        raise SinkError(f"{path}: is a folder", help="name a file in it")
    if not path.parent.is_dir():
        raise SinkError(f"{path}: there is no folder {str(path.parent)!r}", help="make it first")


def check_folder(path: Path) -> None:
    """Before a run: results can go below ``path``.

    Raises:
        SinkError: it, or a part of it, is a file.
    """
    for place in (path, *path.parents):
        if place.exists():
            if not place.is_dir():
                raise SinkError(f"{place}: is a file, but results go into a folder", help="name another one with -o")
            return


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8.

    Raises:
        SinkError: the file cannot be written.
    """
    check_writable(path)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SinkError(f"{path}: {error.strerror or error}") from error
