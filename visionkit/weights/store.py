"""The store: verified files of catalogue entries on this machine, fetched when they are missing.

Files lie in ``<cache>/weights/<entry>-<digest>/<file>``; the digest is over the entry's hashes, so two versions of
visionkit share a cache in peace. A file is written as ``.part`` and gets its name only once its hash is right.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import field
from functools import partial
from pathlib import Path

from visionkit.errors import WeightsError
from visionkit.frozen import Frozen
from visionkit.weights import fetch
from visionkit.weights.entry import Entry, FileSpec, Source
from visionkit.weights.obtain import TEMPORARY, obtain

OFFLINE = "VK312"
Progress = Callable[[str, int, int], None]  # file name, bytes done, bytes in all (0: not known)


def silent(name: str, done: int, total: int) -> None:
    """Report nothing."""


def default_cache_dir() -> Path:
    """``$VISIONKIT_CACHE``, else the system's folder for caches."""
    if configured := os.environ.get("VISIONKIT_CACHE"):
        return Path(configured).expanduser()
    import platformdirs

    return platformdirs.user_cache_path("visionkit")


def _offline_by_environment() -> bool:
    return os.environ.get("VISIONKIT_OFFLINE", "").lower() not in ("", "0", "false", "no")


def _mirror_by_environment() -> str | None:
    return os.environ.get("VISIONKIT_MIRROR") or None


class Store(Frozen):
    """Where verified weights come from: the cache, the entry's own folder, a mirror, then the entry's sources in order.

    Attributes:
        cache_dir: the cache; by default ``$VISIONKIT_CACHE``, else the system's folder for caches.
        offline: never use the network; by default ``$VISIONKIT_OFFLINE``.
        mirror: a folder (used in place) or an https address that holds ``<entry>/<file>``; by default
            ``$VISIONKIT_MIRROR``.
        trust: let pickles run that no catalogue knows; see :mod:`visionkit.weights.safe`.
    """

    cache_dir: Path = field(default_factory=default_cache_dir)
    offline: bool = field(default_factory=_offline_by_environment)
    mirror: str | None = field(default_factory=_mirror_by_environment)
    trust: bool = False

    def path(self, entry: Entry, file: str | None = None, progress: Progress = silent) -> Path:
        """The verified path of ``file`` of ``entry`` (its first, by default), fetched if it is not here yet.

        Raises:
            WeightsError: VK312 absent and offline, VK313 wrong hash, VK314 truncated, VK315 disk full, VK317 no
                source could be reached, VK318 a broken archive; the message lists all that was tried.
        """
        spec = entry.file(file)
        tried: list[tuple[str, WeightsError]] = []
        found = self._found(entry, spec, tried)
        if found is None and not self.offline:
            with self._lock(entry):  # while waiting, another process may have fetched it
                found = self._found(entry, spec, tried) or self._fetch(entry, spec, progress, tried)
        if found is None:
            raise self._failure(entry, spec, tried)
        return found

    def pull(self, entry: Entry, progress: Progress = silent) -> tuple[Path, ...]:
        """Verified paths of all files of ``entry``; see :meth:`path`."""
        return tuple(self.path(entry, spec.name, progress) for spec in entry.files)

    def present(self, entry: Entry) -> bool:
        """Whether all files are on this machine. Opens none of them; :meth:`path` verifies."""
        return all(any(path.is_file() for path in self._places(entry, spec)) for spec in entry.files)

    def verify(self, entry: Entry) -> dict[str, str]:
        """Hash what is here of ``entry``: file name → "ok", "absent", or what is wrong.

        A broken file in the cache is deleted.
        """
        return {spec.name: self._verdict(entry, spec) for spec in entry.files}

    def folder(self, entry: Entry) -> Path:
        """Where the cache keeps the files of ``entry``."""
        return self.cache_dir / "weights" / f"{entry.name}-{entry.digest[:8]}"

    def _places(self, entry: Entry, spec: FileSpec) -> Iterator[Path]:
        yield self.folder(entry) / spec.name
        yield from (entry.folder / source.bundled for source in spec.sources if source.bundled)
        if self.mirror and "://" not in self.mirror:
            yield Path(self.mirror) / entry.name / spec.name

    def _found(self, entry: Entry, spec: FileSpec, tried: list[tuple[str, WeightsError]]) -> Path | None:
        """The first place that has the file as it should be. A broken one in the cache is deleted."""
        for path in filter(Path.is_file, self._places(entry, spec)):
            try:
                self._check(entry, spec, path)
            except WeightsError as error:
                tried.append((str(path), error))
                if path.parent == self.folder(entry):
                    error.message += "; deleted"
                    path.unlink()
            else:
                return path
        return None

    def _check(self, entry: Entry, spec: FileSpec, path: Path) -> None:
        """Raise unless the file is good. One in the cache is hashed once, then again only if it was touched.

        Hashing 100 MB takes up to half a second, at every start. Whoever can change a file here and its time can change
        the receipt as well: against that, and against failing disks, there is ``visionkit weights verify``.
        """
        status = path.stat()
        seen = f"{spec.hash} {status.st_size} {status.st_mtime_ns}"
        receipt = self.folder(entry) / f".{spec.name}.verified"
        if path.parent == receipt.parent and receipt.is_file() and receipt.read_text("utf-8") == seen:
            return
        fetch.check_file(path, spec)
        if path.parent == receipt.parent:
            with suppress(OSError):  # a cache that others filled may be read-only
                receipt.write_text(seen, "utf-8")

    def _verdict(self, entry: Entry, spec: FileSpec) -> str:
        tried: list[tuple[str, WeightsError]] = []
        for receipt in self.folder(entry).glob(f".{spec.name}.verified"):
            receipt.unlink()
        if self._found(entry, spec, tried):
            return "ok"
        return "; ".join(error.message for _, error in tried) or "absent"

    def _fetch(
        self, entry: Entry, spec: FileSpec, progress: Progress, tried: list[tuple[str, WeightsError]]
    ) -> Path | None:
        for source in self._sources(entry, spec):
            try:
                obtain(source, entry, spec, self.folder(entry), partial(progress, spec.name))
            except WeightsError as error:
                if error.code == fetch.DISK_FULL:
                    raise
                tried.append((str(source), error))
            else:
                return self._found(entry, spec, tried)
        return None

    def _sources(self, entry: Entry, spec: FileSpec) -> Iterator[Source]:
        if self.mirror and "://" in self.mirror:
            yield Source(url=f"{self.mirror.rstrip('/')}/{entry.name}/{spec.name}")
        yield from (source for source in spec.sources if not source.bundled)

    def _failure(self, entry: Entry, spec: FileSpec, tried: list[tuple[str, WeightsError]]) -> WeightsError:
        """One error for all that was tried; its code is that of the most telling one."""
        lines = "".join(f"\n  {place}: {error.message}" for place, error in tried)
        if self.offline:
            return WeightsError(
                f"{spec.name} of {entry.name} is not on this machine, and visionkit is offline{lines}",
                help=f"once, with a network: visionkit weights pull {entry.name}",
                code=OFFLINE,
            )
        codes = [error.code for _, error in tried if error.code != fetch.UNREACHABLE]
        return WeightsError(
            f"{spec.name} of {entry.name} could not be had from any source{lines}",
            help=f"put the file at {self.folder(entry) / spec.name}, or set VISIONKIT_MIRROR to where it can be had",
            code=codes[0] if codes else fetch.UNREACHABLE,
        )

    @contextmanager
    def _lock(self, entry: Entry) -> Iterator[None]:
        """One process at a time fetches an entry. What a killed one left unfinished, packages apart, is resumed."""
        from filelock import FileLock

        folder = self.folder(entry)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            code = fetch.DISK_FULL if fetch.is_disk_full(error) else None
            raise WeightsError(
                f"the cache cannot be written: {error}", help="set VISIONKIT_CACHE to another folder", code=code
            ) from error
        with FileLock(folder / ".lock"):
            for leftover in folder.glob(f"{TEMPORARY}*"):
                shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
            yield
