"""One run at a time writes into a folder."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from visionkit.errors import UsageError


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
