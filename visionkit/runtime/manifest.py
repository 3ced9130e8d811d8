"""The manifest of a run: one row for every input, so that a run that was cut off goes on where it stopped.

SQLite in write-ahead mode: a process killed at any point leaves the rows of the last commit, and inputs that are not in
them are done again.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from visionkit.errors import DiskFullError, SinkError, UsageError
from visionkit.frozen import Frozen
from visionkit.runtime.lock import locked
from visionkit.stage.sink import OWN_FOLDER
from visionkit.stage.stamp import Stamp

FOLDER = OWN_FOLDER
SCRATCH = "workers-"
"""Begins the names of folders beside the manifest that are of no use after the run."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS inputs (
    name TEXT PRIMARY KEY,           -- what tables print in the column source
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime INTEGER NOT NULL,          -- nanoseconds
    plan TEXT NOT NULL,              -- what was computed: hash of the plan, and how a video was read
    state TEXT NOT NULL,             -- pending, done, failed
    attempts INTEGER NOT NULL DEFAULT 0,
    frames INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    position INTEGER,                -- the how-manyth to be written
    ends TEXT,                       -- JSON: bytes in each shared table once its rows were written
    seconds REAL NOT NULL DEFAULT 0, -- work on it, over all stages
    content TEXT,                    -- hash of parts of a local file, where it was read unchanged
    changed INTEGER,                 -- ctime in nanoseconds: says that a file of the same mtime may be another one
    outputs TEXT                     -- JSON: the files of its own, below the folder for results
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS written ON inputs (position);
"""
LATER = {"seconds": "REAL NOT NULL DEFAULT 0", "content": "TEXT", "changed": "INTEGER", "outputs": "TEXT"}
"""Columns that older manifests do not have."""
State = Literal["pending", "done", "failed"]
ENDED = """
UPDATE inputs SET attempts = attempts + 1, state = ?, frames = ?, error = ?, position = ?, seconds = ?, ends = ?,
content = CASE WHEN size = ? AND mtime = ? AND changed IS ? THEN ? END, outputs = ?
WHERE name = ?
"""
NAMES = """
name path size mtime plan state attempts frames error position seconds content changed outputs ends
""".split()
FIELDS = ", ".join(NAMES)


class Row(Frozen):
    """One input: see the columns of ``SCHEMA``."""

    name: str
    path: str
    size: int
    mtime: int
    plan: str
    state: State = "pending"
    attempts: int = 0
    frames: int = 0
    error: str | None = None
    position: int | None = None
    seconds: float = 0.0
    content: str | None = None
    changed: int | None = None
    outputs: tuple[str, ...] = ()
    ends: Mapping[str, int] = field(default_factory=dict)

    def values(self) -> tuple[Any, ...]:
        """In the order of ``FIELDS``."""
        ends = json.dumps(self.ends) if self.position is not None else None
        file = (self.name, self.path, self.size, self.mtime, self.plan)
        ended = (self.state, self.attempts, self.frames, self.error, self.position, self.seconds)
        return (*file, *ended, self.content, self.changed, _listed(self.outputs), ends)

    def same_input(self, other: Row) -> bool:
        """Whether the file and what is to be computed of it are those of ``other``, as far as a look at it says."""
        return (self.size, self.mtime, self.plan) == (other.size, other.mtime, other.plan)


class Finished(NamedTuple):
    """How an input ended: see the columns of ``SCHEMA``."""

    name: str
    state: State
    frames: int = 0
    error: str | None = None
    seconds: float = 0.0
    position: int = 0
    ends: Mapping[str, int] = {}
    stamp: Stamp = Stamp(0, 0)
    content: str | None = None
    outputs: tuple[str, ...] = ()

    def values(self) -> tuple[Any, ...]:
        ended = (self.state, self.frames, self.error, self.position, self.seconds, json.dumps(self.ends))
        return (*ended, *self.stamp, self.content, _listed(self.outputs), self.name)


def _listed(outputs: tuple[str, ...]) -> str | None:
    return json.dumps(outputs) if outputs else None


def text(name: str) -> str:
    """``name`` as SQLite can hold it: bytes of a file name that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


class Manifest:
    """The database in ``out/.visionkit``. ``readonly`` looks on while a run writes.

    Raises:
        UsageError: another run writes into ``out`` at this moment.
        DiskFullError, SinkError: it cannot be written.
    """

    def __init__(self, out: Path, readonly: bool = False) -> None:
        self.path = manifest_path(out)
        with self._named():
            self._lock = None if readonly else locked(self.path.parent)
            for left in [] if readonly else self.path.parent.glob(f"{SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
            is_new = not self.path.exists()
            target = f"{self.path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}"
            self._db = sqlite3.connect(target, uri=True, isolation_level=None, check_same_thread=False)
            if not readonly:
                if is_new:  # nothing is in it that a power cut could take
                    self._db.execute("PRAGMA synchronous = OFF")
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.executescript(SCHEMA)
                self._db.execute("PRAGMA synchronous = NORMAL")
            self._fields = self._columns(not readonly)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise named(self.path, error) from error

    def _columns(self, add: bool) -> str:
        """``FIELDS`` as this file can answer them; what it is too old for is added, or is null."""
        present = {row[1] for row in self._db.execute("PRAGMA table_info(inputs)")}
        missing = [name for name in LATER if name not in present]
        for name in missing if add else ():
            self._db.execute(f"ALTER TABLE inputs ADD COLUMN {name} {LATER[name]}")
        return ", ".join(f"NULL AS {name}" if name in missing and not add else name for name in NAMES)

    def get(self, name: str, default: Any = None) -> Any:
        """A fact about the run as a whole."""
        with self._named():
            found = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return json.loads(found[0]) if found else default

    def set(self, **facts: Any) -> None:
        with self._named(), self._transaction():
            for name, value in facts.items():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))

    def row(self, name: str) -> Row | None:
        with self._named():
            found = self._db.execute(f"SELECT {self._fields} FROM inputs WHERE name = ?", (text(name),)).fetchone()
        return _row(found) if found else None

    def written(self) -> Iterator[Row]:
        """Rows of finished inputs in the order in which they were written."""
        query = f"SELECT {self._fields} FROM inputs WHERE position IS NOT NULL ORDER BY position"
        with self._named():
            yield from map(_row, self._db.execute(query))

    def put(self, rows: Iterable[Row], **facts: Any) -> None:
        """Insert or replace rows, and facts with them, in one transaction."""
        marks = ", ".join("?" * len(NAMES))
        with self._named(), self._transaction():
            for name, value in facts.items():
                self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, json.dumps(value)))
            values = (row.values() for row in rows)
            self._db.executemany(f"INSERT OR REPLACE INTO inputs ({FIELDS}) VALUES ({marks})", values)

    def renew(self, stamps: Iterable[tuple[str, Stamp]]) -> None:
        """Inputs whose files hold what they held have other times now."""
        update = "UPDATE inputs SET mtime = ?, changed = ? WHERE name = ?"
        with self._named(), self._transaction():
            self._db.executemany(update, ((stamp.mtime, stamp.changed, name) for name, stamp in stamps))

    def finish(self, rows: Iterable[Finished]) -> None:
        """Write down how inputs ended, in one transaction: one attempt more for each."""
        with self._named(), self._transaction():
            self._db.executemany(ENDED, (row.values() for row in rows))

    def counts(self) -> dict[str, int]:
        """Inputs by state."""
        with self._named():
            found = dict(self._db.execute("SELECT state, count(*) FROM inputs GROUP BY state"))
        return {state: found.get(state, 0) for state in ("done", "failed", "pending")}

    def last_position(self) -> int:
        """The position of the input that was written last."""
        with self._named():
            return int(self._db.execute("SELECT coalesce(max(position), 0) FROM inputs").fetchone()[0])

    def failures(self, limit: int = 20) -> list[Row]:
        return self._some("WHERE state = 'failed' ORDER BY position", limit)

    def slowest(self, limit: int = 20) -> list[Row]:
        return self._some("WHERE seconds > 0 ORDER BY seconds DESC", limit)

    def _some(self, which: str, limit: int) -> list[Row]:
        query = f"SELECT {self._fields} FROM inputs {which} LIMIT ?"
        with self._named():
            return [_row(found) for found in self._db.execute(query, (limit,))]

    def frames(self) -> int:
        """Frames of all finished inputs."""
        with self._named():
            return int(self._db.execute("SELECT coalesce(sum(frames), 0) FROM inputs").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
        if self._lock is not None:
            self._lock.close()


def named(path: Path, error: sqlite3.Error | OSError) -> SinkError:
    """What the operating system or SQLite refuses, as an error that says which file it was."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT) or (isinstance(error, sqlite3.Error) and _no_room(path, error)):
        return DiskFullError(
            f"{path}: no room left on the disk", help="make room there, then run the same command again"
        )
    return SinkError(f"{path}: {getattr(error, 'strerror', None) or error}")


def _no_room(path: Path, error: sqlite3.Error) -> bool:
    """SQLite says "full", or only that writing failed: then a disk without room for two pages is the reason."""
    with suppress(OSError):
        return "full" in str(error) or ("I/O" in str(error) and shutil.disk_usage(path.parent).free < 1 << 13)
    return False


def _row(found: tuple[Any, ...]) -> Row:
    values = {name: value for name, value in zip(NAMES, found, strict=True) if value is not None}
    values["ends"] = json.loads(values.get("ends", "{}"))
    return Row(**values | {"outputs": tuple(json.loads(values.get("outputs", "[]")))})


def manifest_path(out: Path) -> Path:
    """Where the manifest of a folder for results lies."""
    return out / FOLDER / "manifest.db"


def discard(out: Path) -> None:
    """Forget what earlier runs did in ``out``; another run that writes there now is in the way."""
    folder = out / FOLDER
    if manifest_path(out).exists():
        with closing(locked(folder)):
            for path in folder.iterdir():
                if path.is_file() and not path.name.startswith("lock"):
                    path.unlink()


def is_running(out: Path) -> bool:
    """Whether a run writes into ``out`` at this moment."""
    try:
        locked(out / FOLDER).close()
    except UsageError:
        return True
    return False


def now() -> str:
    """The time for people, in UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
