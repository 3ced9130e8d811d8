"""Sources: :func:`open_sources` turns what the user names into lanes of frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from visionkit.errors import UsageError
from visionkit.media.sources.options import SourceOptions
from visionkit.stage.source import Source

if TYPE_CHECKING:
    from visionkit.media.sources.live import LiveSource

__all__ = ["SourceOptions", "open_sources"]


def open_sources(inputs: Sequence[Any], options: SourceOptions | None = None) -> list[Source]:
    """One lane for each camera and stream, one for all files, one for all pictures in memory.

    Args:
        inputs: files, folders, globs, ``-`` (paths from stdin); folders and globs of ``s3://`` and pictures of
            ``http(s)://`` addresses; camera numbers, ``/dev/video0``, ``rtsp://`` and
            ``http(s)://`` addresses, with a name of their own as in ``door=rtsp://10.0.0.2/live``; arrays (H, W, 3) BGR
            uint8 and :class:`Image` objects.
        options: how they are read.

    Raises:
        UsageError: nothing was given, a path does not exist, a folder holds nothing to read, a scheme is unknown.
    """
    options = options or SourceOptions()
    files: list[str] = []
    pictures: list[Any] = []
    cameras: list[LiveSource] = []
    for item in inputs:
        if not isinstance(item, (str, os.PathLike, int)):
            pictures.append(item)
        elif _is_picture_elsewhere(item):
            files.append(str(item))
        elif (lane := _live(item, options)) is not None:
            if (options.variants or 1) > 1:
                raise UsageError(f"--variants {options.variants}: a camera or a stream can be run through but once")
            cameras.append(lane)
        else:
            files.append(_local(item))
    lanes: list[Source] = _files(files, options) if files else []
    if cameras:
        from visionkit.media.sources.live import distinct

        lanes += distinct(cameras)
    if pictures:
        lanes.append(_memory(pictures, options))
    if not lanes:
        raise UsageError("no input was given", help="name a picture, a folder, a video, a camera number or an address")
    return lanes


def _is_picture_elsewhere(item: Any) -> bool:
    if not isinstance(item, str) or "://" not in item:
        return False
    from visionkit.media.sources.remote import is_file

    return is_file(item)


def _live(item: Any, options: SourceOptions) -> LiveSource | None:
    from visionkit.media.sources import live

    return live.live_source(os.fspath(item) if not isinstance(item, int) else str(item), options)


def _local(item: Any) -> str:
    from urllib.parse import unquote, urlsplit

    text = os.fspath(item)
    if not text:
        raise UsageError("an input has an empty name", help="is a variable of the shell not set?")
    return unquote(urlsplit(text).path) if text.startswith("file://") else str(Path(text).expanduser())


def _files(files: list[str], options: SourceOptions) -> list[Source]:
    from visionkit.media.sources.files import FilesSource
    from visionkit.media.sources.inputs import list_files

    listing = list_files(files, options)
    if not listing.entries:  # folders with nothing to read were refused by name
        raise UsageError("no path came from stdin", help="give a path a line")
    if options.replay:
        from visionkit.media.sources.live import distinct
        from visionkit.media.sources.replay import replays

        return list(distinct(replays(listing.entries, options)))
    return [FilesSource(listing, options)]


def _memory(pictures: list[Any], options: SourceOptions) -> Source:
    from visionkit.media.sources.memory import MemorySource

    return MemorySource(pictures, options.limit, variants=options.variants or 1)
