"""One run at a time writes into a folder; what nobody writes into any more is known by its lock."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from time import time

from visionkit.errors import UsageError

YOUNG = 60.0
"""Seconds: a folder that has just been made may not be locked yet."""


def locked(folder: Path) -> sqlite3.Connection:
    """A lock that ends with this process, however it ends; SQLite has one for every system.

    Raises:
        UsageError: another run has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = sqlite3.connect(folder / "lock", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        lock.execute("PRAGMA journal_mode = MEMORY")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if "locked" in str(error):
            help = "wait for it, or choose another folder with -o"
            raise UsageError(f"another run writes into {folder.parent} at this moment", help=help) from error
        raise
    return lock


def remove_abandoned(folder: Path, pattern: str) -> None:
    """Removes this user's folders in ``folder`` whose processes, which had them locked, were killed."""
    for left in folder.glob(pattern):
        with suppress(OSError, sqlite3.Error, UsageError):
            facts = left.lstat()
            if facts.st_uid == getattr(os, "getuid", int)() and time() - facts.st_mtime > YOUNG:
                with closing(locked(left)):
                    shutil.rmtree(left, ignore_errors=True)
