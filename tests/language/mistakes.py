"""How the tests here speak of the problems of a file."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from visionkit.errors import PipelineError
from visionkit.pipeline.compile import compile_file, compile_text
from visionkit.pipeline.plan import Plan


class Seen(NamedTuple):
    """A problem as a user sees it; ``at`` is the text that stands at its place."""

    file: str
    line: int
    at: str
    code: str
    where: str
    message: str
    help: str


def problems_of(source: str | Path) -> list[Seen]:
    """Everything wrong in a text or file, in the order it is reported; empty if it is good."""
    try:
        compile_file(source) if isinstance(source, Path) else compile_text(source)
    except PipelineError as error:
        return [_seen(problem, source) for problem in error.problems]
    return []


def _seen(problem: object, source: str | Path) -> Seen:
    p = problem
    position = p.position  # type: ignore[attr-defined]
    text = source if isinstance(source, str) else Path(position.file).read_text()
    line = text.splitlines()[position.line - 1]
    return Seen(
        Path(position.file).name,
        position.line,
        line[position.column - 1 :],
        p.code,  # type: ignore[attr-defined]
        p.where,  # type: ignore[attr-defined]
        p.message,  # type: ignore[attr-defined]
        p.help,  # type: ignore[attr-defined]
    )


def only(source: str | Path) -> Seen:
    """The one problem of a file."""
    (problem,) = problems_of(source)
    return problem


def good(source: str | Path) -> Plan:
    """The plan of a file without problems."""
    return compile_file(source) if isinstance(source, Path) else compile_text(source)
