"""Turns what the user named (files, folders, globs, ``-``) into a list of files, or says what is wrong with it."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from visionkit.errors import UsageError, did_you_mean
from visionkit.media.sources.kinds import Kind, kind_by_name, kind_of, suffix
from visionkit.media.sources.options import SourceOptions

_DIGITS = re.compile(r"(\d+)")
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a lane. ``relpath`` is where outputs mirror it; ``members`` are the pictures of a sequence."""

    path: str
    relpath: str
    kind: Kind
    members: tuple[str, ...] = ()


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


def list_files(inputs: Iterable[str | Path], options: SourceOptions) -> Listing:
    """All files that ``inputs`` name, in order; in a folder in natural order.

    ``relpath`` is the path below the folder or the fixed part of the glob; files named one by one mirror the tree below
    the folder they have in common.

    Raises:
        UsageError: a path that does not exist, a folder or glob with nothing to read.
    """
    listing, single = Listing(), []
    for text in _from_stdin(map(os.fspath, inputs)):
        if os.path.isdir(text):
            _flush(single, listing)
            _folder(text, options, listing)
        elif os.path.exists(text):
            single.append(text)
        elif _WILD.search(text):
            _flush(single, listing)
            _glob(text, options, listing)
        else:
            raise _missing(text)
    _flush(single, listing)
    return listing


def _from_stdin(inputs: Iterable[str]) -> Iterator[str]:
    for text in inputs:
        if text == "-":
            yield from (line for line in map(str.strip, sys.stdin) if line)
        else:
            yield text


def _flush(single: list[str], listing: Listing) -> None:
    """Adds the files named one by one so far."""
    if not single:
        return
    folders = {os.path.dirname(os.path.abspath(path)) for path in single}
    try:
        common = os.path.commonpath(folders)
    except ValueError:  # on different drives
        common = ""
    for path in single:
        relative = os.path.relpath(os.path.abspath(path), common) if common else os.path.basename(path)
        listing.entries.append(Entry(path, Path(relative).as_posix(), kind_of(path)))
    single.clear()


def _folder(folder: str, options: SourceOptions, listing: Listing) -> None:
    found = list(_walk(folder, options.recursive, listing.skipped))
    if not found:
        raise _nothing(folder, listing.skipped)
    if options.sequence:
        listing.entries.extend(_sequences(folder, found))
        return
    listing.entries.extend(Entry(path, _below(path, folder), kind_of(path)) for path in found)


def _walk(folder: str, recursive: bool, skipped: Counter[str]) -> Iterator[str]:
    """Files in natural order, those of a folder before those of its sub-folders; linked folders are entered once."""
    seen: set[tuple[int, int]] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        try:
            status = os.stat(here)
            entries = sorted(os.scandir(here), key=lambda entry: natural_key(entry.name))
        except OSError as error:
            raise UsageError(f"{here}: {error.strerror}") from error
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
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


def _sequences(folder: str, found: Sequence[str]) -> Iterator[Entry]:
    """One entry for the pictures of each folder; videos stay what they are."""
    pictures: dict[str, list[str]] = {}
    for path in found:
        if kind_of(path) == "image":
            pictures.setdefault(os.path.dirname(path), []).append(path)
        else:
            yield Entry(path, _below(path, folder), "video")
    for parent, members in pictures.items():
        name = os.path.basename(os.path.abspath(folder)) if os.path.samefile(parent, folder) else _below(parent, folder)
        yield Entry(parent, name, "video", tuple(members))


def _glob(pattern: str, options: SourceOptions, listing: Listing) -> None:
    matches = sorted(glob.glob(pattern, recursive=True), key=natural_key)
    files = [path for path in matches if os.path.isfile(path) and kind_by_name(path)]
    listing.skipped.update("." + suffix(p) for p in matches if os.path.isfile(p) and not kind_by_name(p))
    if not files:
        raise UsageError(f"{pattern}: matches no picture and no video", help=_skipped_text(listing.skipped))
    base = os.path.dirname(pattern[: _WILD.search(pattern).start()])  # type: ignore[union-attr]
    if options.sequence:
        pictures = tuple(path for path in files if kind_of(path) == "image")
        name = os.path.basename(os.path.abspath(base or ".")) or "sequence"
        listing.entries.extend([Entry(base or ".", name, "video", pictures)] if pictures else [])
        files = [path for path in files if path not in set(pictures)]
    listing.entries.extend(Entry(path, _below(path, base), kind_of(path)) for path in files)


def _below(path: str, folder: str) -> str:
    return Path(os.path.relpath(path, folder or ".")).as_posix()


def _missing(text: str) -> UsageError:
    parent = os.path.dirname(text) or "."
    if not os.path.isdir(parent):
        return UsageError(f"{text}: there is no such file, nor a folder {parent!r}")
    beside = [name for name in os.listdir(parent) if not name.startswith(".")]
    near = did_you_mean(os.path.basename(text), beside)
    return UsageError(f"{text}: there is no such file or folder", help=near or _sample(parent, beside))


def _sample(parent: str, names: Sequence[str]) -> str:
    shown = sorted(names, key=natural_key)[:5]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"in {parent} there are: {', '.join(shown)}{more}" if shown else f"{parent} is empty"


def _nothing(folder: str, skipped: Counter[str]) -> UsageError:
    return UsageError(f"{folder}: there are no pictures and no videos in this folder", help=_skipped_text(skipped))


def _skipped_text(skipped: Counter[str]) -> str:
    return "passed over: " + ", ".join(f"{n} {ext}" for ext, n in skipped.most_common(5)) if skipped else ""


Naming = Callable[[Entry], str]


def naming(entries: Sequence[Entry]) -> Naming:
    """A name for every entry, unique among them: its relpath, or its path where two share a relpath."""
    counts = Counter(entry.relpath for entry in entries)
    shared = {relpath for relpath, count in counts.items() if count > 1}
    return lambda entry: Path(entry.path).as_posix() if entry.relpath in shared else entry.relpath
