"""Files played as if a camera delivered them: at their own rate, again and again."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from visionkit.errors import UsageError
from visionkit.media.sources.capture import Picture, now
from visionkit.media.sources.live import LiveSource, patience
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.pictures import load_picture
from visionkit.media.sources.reconnect import Link
from visionkit.media.sources.video import video_frames
from visionkit.stage.source import SourceInfo

if TYPE_CHECKING:
    from visionkit.media.sources.inputs import Entry

MOST = 32
"""Files that can be played side by side."""
STILL = 0.1
"""Seconds between two deliveries of a photo."""
LATE = 0.5
"""Seconds that a player may be late and still catch up."""


def replays(entries: Sequence[Entry], options: SourceOptions) -> list[LiveSource]:
    """A live source for every file.

    Raises:
        UsageError: there are too many, or pictures that are to be one source.
    """
    if options.sequence or len(entries) > MOST:
        help_ = "name a few photos or videos"
        raise UsageError(f"{len(entries)} files cannot be played side by side, {MOST} can", help=help_)
    return [_replay(entry, options) for entry in entries]


def _replay(entry: Entry, options: SourceOptions) -> LiveSource:
    link = Link(entry.relpath, lambda: _pictures(entry, options), patience(options), retry=False)
    return LiveSource(entry.relpath, link, replace(options, to=None, fps=None), entry.path)


def _pictures(entry: Entry, options: SourceOptions) -> Iterator[Picture]:
    while True:
        yield from _photo(entry.path) if entry.kind == "image" else _video(entry.path, options)


def _photo(path: str) -> Iterator[Picture]:
    image = load_picture(path)
    while True:
        yield Picture(lambda: image, image.width, image.height, now())
        time.sleep(STILL)


def _video(path: str, options: SourceOptions) -> Iterator[Picture]:
    """One time through. Whoever could not keep up goes on from now, and need not catch up."""
    begin, step = now(), 0.0
    for frame in video_frames(SourceInfo(path, "video", path), replace(options, threads=options.threads or 1)):
        if not frame.nbytes and frame.index:  # a broken frame in the middle
            continue
        pts, step = float(frame.pts or 0) - float(options.from_ or 0), 1 / (frame.info.fps or 25)
        begin = max(begin, now() - pts - LATE)
        time.sleep(max(0.0, begin + pts - now()))
        if not frame.nbytes:
            frame.load()  # raises why the file cannot be read
        yield Picture(frame.load, frame.info.width or 1, frame.info.height or 1, now())
    time.sleep(step)
