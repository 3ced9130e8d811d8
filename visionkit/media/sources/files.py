"""A lane of files: pictures, videos and picture sequences, one after the other."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from copy import copy
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import overload

from visionkit.errors import SourceError
from visionkit.media.redact import redact
from visionkit.media.remote.ahead import ahead
from visionkit.media.sources.animated import webp_frames
from visionkit.media.sources.inputs import Entry, Listing, Variants, naming
from visionkit.media.sources.kinds import suffix
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.pictures import load_picture, picture_size
from visionkit.media.sources.reduced import Reduction
from visionkit.media.sources.remote import load_remote
from visionkit.media.sources.video import failing, video_frames
from visionkit.stage.source import Frame, SourceInfo
from visionkit.stage.stamp import Stamp

_DECODED = {"jpg": 14, "jpeg": 14, "webp": 20, "avif": 30, "heic": 25, "png": 3}  # decoded bytes per byte of file
_LEAST, _MOST = 1 << 16, 300_000_000


class Infos(Sequence[SourceInfo]):
    """The infos of a lane, made when asked for: a list of a million would take a gigabyte."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._name = naming(entries)

    def __len__(self) -> int:
        return len(self._entries)

    @overload
    def __getitem__(self, index: int) -> SourceInfo: ...
    @overload
    def __getitem__(self, index: slice) -> list[SourceInfo]: ...
    def __getitem__(self, index: int | slice) -> SourceInfo | list[SourceInfo]:
        if isinstance(index, slice):
            return [self._info(entry) for entry in self._entries[index]]
        return self._info(self._entries[index])

    def _info(self, entry: Entry) -> SourceInfo:
        frames = len(entry.members) if entry.members else (1 if entry.kind == "image" else None)
        name = self._name(entry)
        path = entry.path if entry.stamp is None else redact(entry.path)
        return SourceInfo(name, entry.kind, path, entry.relpath, frames=frames, variant=entry.variant)


class FilesSource:
    """All files of a run, in order, as one lane.

    Attributes:
        skipped: how many files of the folders were passed over, by extension.
        notes: what the user should know of how they were read.
    """

    live = False

    def __init__(self, listing: Listing, options: SourceOptions, name: str = "files") -> None:
        self.name = name
        self.options = options
        self.entries: Sequence[Entry] = listing.entries
        if (options.variants or 1) > 1:
            self.entries = Variants(listing.entries, options.variants or 1)
        self.skipped: Mapping[str, int] = dict(listing.skipped)
        self.infos: Sequence[SourceInfo] | None = Infos(self.entries)
        self._chosen: Sequence[int] = range(len(self.entries))
        self._limit = options.limit
        self._reduction: Reduction | None = None
        self.notes: list[str] = []

    def reduce(self, reduction: Reduction | None) -> None:
        """Decode JPEGs at the scale that ``reduction`` allows."""
        self._reduction = reduction

    def choose(self, indices: Sequence[int], frames_done: int = 0) -> None:
        """Take the inputs with these indices alone; so many frames count towards the limit already."""
        self._chosen = indices
        self._limit = None if self.options.limit is None else max(0, self.options.limit - frames_done)

    def at_most(self) -> int | None:
        """How many frames a run takes."""
        return self.options.limit

    def fingerprint(self, index: int) -> Stamp:
        """Size and times of a file; of a sequence the sum and the latest."""
        entry = self.entries[index]
        if entry.stamp is not None:
            return Stamp(*entry.stamp)
        found = Stamp(0, 0, 0)
        for path in entry.members or (entry.path,):
            try:
                status = os.stat(path)  # noqa: PTH116  for every input of a run
            except OSError:  # it is gone: reading it says so
                continue
            found = found.joined(Stamp.of(status))
        return found

    def reading(self, index: int) -> str:
        """The options that decide which frames of a video are read, or that change a picture; else empty."""
        if self.entries[index].kind == "image":
            return "reduced" if self._reduction is not None else ""
        options = self.options
        return f"{options.sequence} {options.from_} {options.to} {options.fps} {options.limit}"

    def part(self, indices: Sequence[int]) -> FilesSource:
        """A source of these inputs alone, under the names they have here; it can be sent to another process."""
        found = copy(self)
        found.entries = [self.entries[i] for i in indices]
        found.infos = [(self.infos or ())[i] for i in indices]
        found.skipped, found._chosen, found._limit = {}, range(len(indices)), None
        return found

    def frames(self) -> Iterator[Frame]:
        with closing(self._all()) as frames:
            yield from islice(frames, self._limit)

    def _all(self) -> Generator[Frame]:
        infos = self.infos or ()
        fetched = ahead((e.path, e.stamp[0]) for e in (self.entries[i] for i in self._chosen) if e.stamp is not None)
        for index in self._chosen:
            info, entry = infos[index], self.entries[index]
            if entry.stamp is not None:
                load = partial(load_remote, next(fetched), entry.path, self._reduction)
                yield Frame(info, 0, load, decoded_bytes(entry.path, entry.stamp[0]))
            elif entry.members:
                yield from sequence_frames(info, entry.members, self.options)
            elif entry.kind == "image":
                yield Frame(info, 0, partial(load_picture, entry.path, self._reduction), estimated_bytes(entry.path))
            elif suffix(entry.path) == "webp":
                yield from webp_frames(info, self.options)
            else:
                yield from video_frames(info, self.options, self.notes.append)


def sequence_frames(info: SourceInfo, members: Sequence[str], options: SourceOptions) -> Iterator[Frame]:
    """Picture files as frames of one source, ``fps`` of them a second (25 if not given); a new size, a new session."""
    step = 1 / Fraction(options.fps or 25).limit_denominator(1001)
    begin, end = options.from_ or 0, options.to
    session, size, index = 0, None, 0
    for number, path in enumerate(members):
        pts = number * step
        if pts < begin or (end is not None and pts >= end):
            continue
        try:
            now = picture_size(path)
        except SourceError as error:
            yield Frame(info, index, failing(error), 0, pts, session)
        else:
            session += size is not None and now != size
            size = now
            yield Frame(info, index, lambda path=path: load_picture(path), size[0] * size[1] * 3, pts, session)  # type: ignore[misc]
        index += 1


def estimated_bytes(path: str) -> int:
    """About how large the decoded picture is, from the size of the file alone: a folder may hold a million."""
    try:
        size = os.stat(path).st_size  # noqa: PTH116  for every input of a run
    except OSError:
        return _LEAST
    return decoded_bytes(path, size)


def decoded_bytes(path: str, size: int) -> int:
    """About how large the picture in a file of ``size`` bytes is."""
    return min(_MOST, max(_LEAST, size * _DECODED.get(suffix(path), 4)))
