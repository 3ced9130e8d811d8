"""Pictures elsewhere: what an address names, as entries of a lane."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from visionkit.errors import UsageError
from visionkit.media.redact import redact
from visionkit.media.remote.places import find, is_remote
from visionkit.media.remote.stores import is_store
from visionkit.media.sources.kinds import kind_by_name, suffix
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.pictures import decode_picture
from visionkit.media.sources.reduced import Reduction

if TYPE_CHECKING:
    from visionkit.data import Image
    from visionkit.media.sources.inputs import Listing


def is_file(item: str) -> bool:
    """Whether an input is an address of files; one of a web server is where its name is that of a picture."""
    return is_remote(item) and (is_store(item) or kind_by_name(urlsplit(item).path) == "image")


def add_remote(url: str, options: SourceOptions, listing: Listing) -> None:
    """Adds the pictures at an address; ``relpath`` is what comes after the folder that it names.

    Raises:
        UsageError: there is no picture, or they are to be frames of a video.
        SourceError: nobody answers there.
    """
    from visionkit.media.sources.inputs import Entry, natural_key

    if options.sequence:
        raise UsageError(f"{redact(url)}: --sequence takes local folders only", help="copy the folder here first")
    entries = []
    for found in find(url):
        relpath = relative(found.url, url)
        if kind_by_name(relpath) == "image":
            entries.append(Entry(found.url, relpath, "image", stamp=(found.size, found.stamp)))
        elif kind_by_name(relpath) == "video":
            listing.skipped["videos elsewhere"] += 1
        else:
            listing.skipped["." + suffix(relpath) if suffix(relpath) else "no extension"] += 1
    if not entries:
        help = "videos are read from local disks only" if listing.skipped["videos elsewhere"] else ""
        raise UsageError(f"{redact(url)}: there are no pictures there", help=help)
    listing.entries += sorted(entries, key=lambda entry: [natural_key(part) for part in entry.relpath.split("/")])


def relative(file: str, asked: str) -> str:
    """The path of a file below the folder of the address that was asked for."""
    if not is_store(file):
        return unquote(urlsplit(file).path.rpartition("/")[2]).replace("/", "_") or "picture"
    fixed = asked.split("*")[0].split("?")[0].split("[")[0] if any(c in asked for c in "*?[") else asked
    folder = fixed.rstrip("/") + "/" if file.startswith(fixed.rstrip("/") + "/") else fixed.rpartition("/")[0] + "/"
    return file[len(folder) :]


def load_remote(data: Callable[[], bytes], url: str, reduction: Reduction | None) -> Image:
    """The picture that was fetched from an address."""
    return decode_picture(data(), redact(url), reduction)
