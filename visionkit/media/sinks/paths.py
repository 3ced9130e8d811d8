"""Where an output lies: the rendered path, kept below the output folder, refused where two would collide."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath, PureWindowsPath
from typing import Annotated

from pydantic import AfterValidator

from visionkit.errors import SinkError
from visionkit.expr import Kind, Record, Template, Type
from visionkit.frozen import Frozen
from visionkit.media.sources.kinds import PICTURES, VIDEOS
from visionkit.stage.source import SourceInfo

SHOWN = 5
_PLAIN = re.compile(r"(?:[\w-][\w .-]*/)*[\w-][\w .-]*") if os.name != "nt" else re.compile("(?!)")
"""Names that lead nowhere else on any system: most of them, and most of a run's paths are checked for nothing else."""


def _known(template: Template) -> Template:
    fields = dict.fromkeys(SourceInfo("", "image").fields, Type(Kind.TEXT))
    for problem in template.check_all({"source": Record(fields, noun="source")}, rows=False):
        raise problem
    shown = "".join(part if isinstance(part, str) else "x" for part in template.parts).strip()
    try:
        safe(shown, "")
    except SinkError as error:
        message = error.message.removeprefix(": ").replace(repr(shown), repr(template.text))
        raise ValueError("; ".join(filter(None, [message, error.help]))) from error
    return template


SourcePath = Annotated[Template, AfterValidator(_known)]
"""A template whose names are those of the source: ``{source.stem}``."""


class SourceFields(Frozen):
    """A source as templates see it: ``{source.stem}``."""

    info: SourceInfo

    def field(self, name: str) -> object:
        return self.info.fields[name]


def rendered(template: Template, info: SourceInfo) -> str:
    """The template's text for a source, a relative path with forward slashes.

    Raises:
        SinkError: it would leave the output folder, or is empty.
    """
    text = template.render({"source": SourceFields(info)}).strip()
    if not template.text.startswith("/"):
        text = text.lstrip("/")  # "{source.folder}/x" where the folder is empty
    return safe(text, info.name)


def safe(text: str, owner: str) -> str:
    """``text`` itself if it names a file below the folder it is relative to.

    Raises:
        SinkError: it is empty, absolute, climbs out with "..", or would do so on Windows.
    """
    if _PLAIN.fullmatch(text):
        return text
    windows = PureWindowsPath(text)
    names = [name for name in text.split("/") if name not in ("", ".")]
    escapes = text.startswith("/") or windows.drive or windows.root or ".." in windows.parts or ".." in names
    if not names or text.endswith("/") or "\0" in text:
        raise SinkError(f"{owner}: the output path {text!r} names no file")
    if escapes or (os.name == "nt" and windows.is_reserved()):
        raise SinkError(f"{owner}: the output path {text!r} leads out of the output folder", help="use a path below it")
    return text


def extension(template: Template) -> str:
    """The extension written in the template itself, or an empty string."""
    last = template.parts[-1] if template.parts else ""
    return last.rpartition(".")[2].lower() if isinstance(last, str) and "." in last else ""


def with_extension(text: str, ext: str) -> str:
    """``text`` with a media extension replaced by ``ext``; any other ending is part of the name and stays."""
    head, dot, tail = text.rpartition(".")
    if tail.lower() == ext and dot:
        return text
    known = dot and "/" not in tail and tail.lower() in PICTURES | VIDEOS
    return f"{head if known else text}.{ext}"


def check_paths(
    out: Path,
    overwrite: bool,
    sources: Sequence[SourceInfo],
    path_of: Callable[[SourceInfo], Path],
    help: str,
) -> None:
    """Refuses two sources with one output, an output that is an input, and existing results.

    Raises:
        SinkError: naming the first few paths and what to do.
    """
    owners: dict[str, SourceInfo] = {}
    collisions, existing = [], []
    twice = constant = False
    begun = out.exists()
    for info in sources:
        path = path_of(info)
        key = os.path.normcase(path)
        if key in owners:
            collisions.append(f"{path.relative_to(out)}: from {owners[key].name} and from {info.name}")
            twice = twice or (info.path is not None and info.path == owners[key].path)
            constant = constant or PurePath(info.name).stem != PurePath(owners[key].name).stem
        owners[key] = info
        if begun and os.path.lexists(path):
            existing.append(path)
    if twice:
        help = "the same input was given twice"
    elif constant:
        help = 'sources of different names have one path: put a placeholder into it, such as "{source.stem}"'
    if collisions:
        raise SinkError(f"outputs collide:\n{_listed(collisions)}", help=help)
    if existing:
        _refuse_existing(existing, overwrite, sources)


def _refuse_existing(existing: Sequence[Path], overwrite: bool, sources: Sequence[SourceInfo]) -> None:
    inputs = {_identity(info.path) for info in sources if info.path} - {None}
    own = [str(path) for path in existing if _identity(str(path)) in inputs]
    if own:
        raise SinkError(f"an output would overwrite an input:\n{_listed(own)}", help="choose another folder with -o")
    refuse_existing(existing, overwrite)


def refuse_existing(existing: Sequence[Path], overwrite: bool) -> None:
    """Raises SinkError for results that are there already, unless they may be replaced."""
    if existing and not overwrite:
        names = _listed([str(path) for path in existing])
        help = "add --overwrite, or choose another folder with -o"
        raise SinkError(f"results are there already:\n{names}", help=help)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _listed(lines: Iterable[str]) -> str:
    all_ = list(lines)
    more = [f"and {len(all_) - SHOWN} more"] if len(all_) > SHOWN else []
    return "\n".join(f"  {line}" for line in [*all_[:SHOWN], *more])
