"""Turns what the user named (files, folders, globs, ``-``) into a list of files, or says what is wrong with it."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import overload

from visionkit.errors import UsageError, did_you_mean
from visionkit.media.remote.places import is_remote
from visionkit.media.sources.kinds import Kind, kind_by_name, kind_of, suffix
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.remote import add_remote
from visionkit.stage.sink import OWN_FOLDER

_DIGITS = re.compile(r"(\d+)")
_WILD = re.compile(r"[*?\[]")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a lane. ``relpath`` is where outputs mirror it; ``members`` are the pictures of a sequence.

    ``variant`` counts the runs of one file through the pipeline; ``stamp`` is the size and the state of a remote one.
    """

    path: str
    relpath: str
    kind: Kind
    members: tuple[str, ...] = ()
    variant: int = 0
    stamp: tuple[int, int] | None = None


class Variants(Sequence[Entry]):
    """Each entry ``count`` times, one after the other, under relpaths of their own: ``cat_0.jpg``, ``cat_1.jpg``."""

    def __init__(self, entries: Sequence[Entry], count: int) -> None:
        self._entries, self._count = entries, count

    def __len__(self) -> int:
        return len(self._entries) * self._count

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        entry, variant = self._entries[index // self._count], index % self._count
        return replace(entry, relpath=varied(entry.relpath, variant), variant=variant)


def varied(relpath: str, variant: int) -> str:
    """The relpath of one variant of a file: ``a/cat.jpg`` → ``a/cat_1.jpg``."""
    path = PurePosixPath(relpath)
    return path.with_name(f"{path.stem}_{variant}{path.suffix}").as_posix()


@dataclass
class Listing:
    """The files found, and how many were passed over, by extension."""

    entries: list[Entry] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts ``frame2`` before ``frame10``, upper and lower case together; the name itself breaks ties."""
    parts = _DIGITS.split(name.casefold())
    keys = [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]
    return [*keys, (1, 0, name)]


def list_files(inputs: Iterable[str], options: SourceOptions) -> Listing:
    """All files that ``inputs`` name, in order; in a folder in natural order.

    ``relpath`` is the path below the folder or the fixed part of the glob; files named one by one mirror the tree below
    the folder they have in common.

    Raises:
        UsageError: a path that does not exist, a folder or glob with nothing to read.
    """
    listing = Listing()
    single: list[Path] = []
    for text in _from_stdin(inputs):
        if is_remote(text):
            _add_single(single, listing)
            add_remote(text, options, listing)
            continue
        path = Path(text)
        if path.exists() and not path.is_dir():
            single.append(path)
            continue
        _add_single(single, listing)
        if path.is_dir():
            _add_folder(path, options, listing)
        elif _WILD.search(text):
            _add_glob(text, options, listing)
        else:
            raise _missing(path)
    _add_single(single, listing)
    return listing


def _from_stdin(inputs: Iterable[str]) -> Iterator[str]:
    for text in inputs:
        if text == "-":
            yield from (line for line in map(str.strip, sys.stdin) if line)
        else:
            yield text


def _add_single(single: list[Path], listing: Listing) -> None:
    """Adds the files named one by one so far, and forgets them."""
    places = [path.parent.resolve() / path.name for path in single]  # a link is filed under its own name
    try:
        common = os.path.commonpath([place.parent for place in places]) if places else ""
    except ValueError:  # on different drives
        common = ""
    for path, place in zip(single, places, strict=True):
        relpath = place.relative_to(common).as_posix() if common else place.name
        listing.entries.append(Entry(str(path), relpath, kind_of(str(path))))
    single.clear()


def _add_folder(folder: Path, options: SourceOptions, listing: Listing) -> None:
    found = list(_walk(str(folder), options.recursive, listing.skipped))
    if not found:
        raise UsageError(f"{folder}: there are no pictures and no videos in this folder", help=_passed(listing.skipped))
    _add_found(found, folder, options, listing)


def _add_glob(pattern: str, options: SourceOptions, listing: Listing) -> None:
    # glob.glob, as Path.glob takes no absolute patterns
    matches = [path for path in glob.glob(pattern, recursive=True) if Path(path).is_file()]  # noqa: PTH207
    listing.skipped.update("." + suffix(path) for path in matches if kind_by_name(path) is None)
    found = sorted((path for path in matches if kind_by_name(path)), key=natural_key)
    if not found:
        raise UsageError(f"{pattern}: matches no picture and no video", help=_passed(listing.skipped))
    fixed = pattern[: _WILD.search(pattern).start()]  # type: ignore[union-attr]
    _add_found(found, Path(fixed.rpartition("/")[0] or ("/" if fixed.startswith("/") else ".")), options, listing)


def _add_found(found: Sequence[str], base: Path, options: SourceOptions, listing: Listing) -> None:
    """Adds files below ``base``, those of a sequence by folder."""
    cut = 0 if str(base) == "." else len(str(base).rstrip("/")) + 1
    kinds = [kind_of(path) for path in found]
    pictures: dict[str, list[str]] = {}
    for path, kind in zip(found, kinds, strict=True):
        if options.sequence and kind == "image":
            pictures.setdefault(str(Path(path).parent), []).append(path)
        else:
            listing.entries.append(Entry(path, Path(path[cut:]).as_posix(), kind))
    for parent, members in pictures.items():
        name = Path(parent[cut:]).as_posix() if len(parent) > cut else base.resolve().name or "sequence"
        listing.entries.append(Entry(parent, name, "video", tuple(members)))


def _walk(folder: str, recursive: bool, skipped: Counter[str]) -> Iterator[str]:
    """Files in natural order, those of a folder before those of its sub-folders; linked folders are entered once.

    What a run wrote below ``folder`` is passed over: the same command, given again, shall find the same inputs.
    Plain strings: a folder may hold a million files.
    """
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = Path(here).stat()
            with os.scandir(here) as scan:
                entries = sorted(scan, key=lambda entry: natural_key(entry.name))
        except OSError as error:
            raise UsageError(f"{here}: {error.strerror}") from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if here != folder and any(entry.name == OWN_FOLDER for entry in entries):
            skipped["folder of results"] += 1
            continue
        below = []
        for entry in entries:
            if entry.name.startswith("."):
                skipped["hidden"] += 1
            elif entry.is_dir():
                below.append(entry.path)
            elif kind_by_name(entry.name) is None:
                skipped["." + suffix(entry.name) if suffix(entry.name) else "no extension"] += 1
            else:
                yield entry.path
        if recursive:
            waiting.extend(reversed(below))


def _missing(path: Path) -> UsageError:
    parent = path.parent
    if not parent.is_dir():
        return UsageError(f"{path}: there is no such file, nor a folder {str(parent)!r}")
    beside = sorted((found.name for found in parent.iterdir() if not found.name.startswith(".")), key=natural_key)
    near = did_you_mean(path.name, beside)
    return UsageError(f"{path}: there is no such file or folder", help=near or _sample(parent, beside))


def _sample(parent: Path, names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"in {parent} there are: {', '.join(names[:_SHOWN])}{more}" if names else f"{parent} is empty"


def _passed(skipped: Counter[str]) -> str:
    return "passed over: " + ", ".join(f"{n} {ext}" for ext, n in skipped.most_common(_SHOWN)) if skipped else ""


def naming(entries: Sequence[Entry]) -> Callable[[Entry], str]:
    """A name for every entry, unique among them: its relpath, or its path where two share a relpath."""
    counts = Counter(entry.relpath for entry in entries)
    shared = {relpath for relpath, count in counts.items() if count > 1}
    return lambda entry: _own_name(entry) if entry.relpath in shared else entry.relpath


def _own_name(entry: Entry) -> str:
    name = Path(entry.path).as_posix()
    return f"{name}~{entry.variant}" if entry.variant else name
