"""Writes settings into the ``run:`` section of a pipeline file; every other byte stays as it is."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from visionkit.errors import UsageError

END = re.compile(r"\.\.\.(\s+#.*)?")
"""The line that ends a document."""


def write_run(path: Path, settings: Mapping[str, Any]) -> None:
    """Sets values in ``run:``, which is made if need be. Comments stay.

    Raises:
        UsageError: the whole file stands in braces.
        OSError: the file cannot be written; it is then as it was.
    """
    path = path.resolve()  # a link stays one
    with path.open("r+", encoding="utf-8", newline="") as file:  # a file that may not be written is left alone
        text = file.read()
    made = changed(text, settings)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(made)
        Path(name).chmod(path.stat().st_mode & 0o777)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def changed(text: str, settings: Mapping[str, Any]) -> str:
    """The text with ``settings`` in its ``run:`` section."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = text.splitlines(keepends=True)  # as they end, so that what is not changed stays as it is
    length = next((i for i, line in enumerate(lines) if END.fullmatch(line.rstrip())), len(lines))
    begin, stop = _section(text, length)
    if begin is None:
        begin = stop
        while begin and not lines[begin - 1].strip():
            begin -= 1
        if begin and not lines[begin - 1].endswith("\n"):
            lines[begin - 1] += end
        lines[begin:stop], stop = [], begin
    section = "".join(lines[begin:stop]) or "run:"
    made = [line + end for line in _dumped(section, settings)]
    return "".join([*lines[:begin], *made, *lines[stop:]])


def _section(text: str, length: int) -> tuple[int | None, int]:
    """First line of ``run:`` and the line after its last; comments before the next key are not its own."""
    document: Any = _yaml().load(text)
    if getattr(document, "fa", None) is not None and document.fa.flow_style():
        raise UsageError("the file is one mapping in braces: its settings have to be written by hand")
    places: Any = getattr(document, "lc", None)
    if places is None or "run" not in document:
        return None, length
    begin: int = places.key("run")[0]
    later = [places.key(key)[0] for key in document if places.key(key)[0] > begin]
    stop = min(later, default=length)
    lines = text.splitlines()
    while stop > begin + 1 and (not lines[stop - 1].strip() or lines[stop - 1].startswith("#")):
        stop -= 1
    return begin, stop


def _dumped(section: str, settings: Mapping[str, Any]) -> list[str]:
    from ruamel.yaml.comments import CommentedMap

    yaml = _yaml()
    document = yaml.load(section)
    if not isinstance(document["run"], dict):
        document["run"] = CommentedMap()
    document["run"].update(settings)
    made = io.StringIO()
    yaml.dump(document, made)
    return made.getvalue().splitlines()


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml
