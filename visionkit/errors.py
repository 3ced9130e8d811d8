"""Every error visionkit raises on purpose, and the stable codes users search for.

::

    VisionkitError
    ├── PipelineError        one or more positioned problems in a pipeline file   VK1xx, VK2xx
    ├── UsageError           a command line or a call that cannot work            VK301
    ├── DataError            an array of the wrong shape, dtype or range          VK302
    ├── MissingExtraError    a package of an extra is not installed               VK303
    ├── WeightsError         weights that are missing, broken or not trusted      VK31x
    ├── SourceError          an input that cannot be opened or read               VK32x
    ├── SinkError            an output that cannot be written                     VK33x
    │   └── DiskFullError    no room left on the device                           VK331
    └── StageError           a stage failed on a packet                           VK34x
"""

from __future__ import annotations

from collections.abc import Iterable

from visionkit.frozen import Frozen


class Position(Frozen, order=True):
    """A place in a text file. ``line`` and ``column`` count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Problem(Frozen):
    """One thing wrong in a pipeline file: where, what was found, what to do next."""

    code: str
    where: str
    message: str
    help: str = ""
    position: Position | None = None

    def __str__(self) -> str:
        head = f"{self.position}  " if self.position else ""
        lines = [f"{head}{self.code}  {self.where}".rstrip()]
        lines += [f"  {line}" for line in self.message.splitlines()]
        if self.help:
            first, *rest = self.help.splitlines()
            lines.append(f"  help: {first}")
            lines += [f"        {line}" for line in rest]
        return "\n".join(lines)


class VisionkitError(Exception):
    """The root: catch this to catch everything visionkit raises on purpose."""

    code = "VK300"

    def __init__(self, message: str, *, help: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message}\n  help: {self.help}" if self.help else self.message


class PipelineError(VisionkitError):
    """A pipeline file that cannot run, with every problem found in it, in file order."""

    code = "VK100"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n\n".join(str(problem) for problem in self.problems))

    def __str__(self) -> str:
        return self.message


class UsageError(VisionkitError):
    """A command line or a call that cannot work as it was given."""

    code = "VK301"


class DataError(VisionkitError, ValueError):
    """An array of the wrong shape, dtype or range; says expected and actual."""

    code = "VK302"


class MissingExtraError(VisionkitError, ImportError):
    """A package that belongs to an extra is not installed; the help is the exact pip line."""

    code = "VK303"


class WeightsError(VisionkitError):
    """Weights that cannot be found, fetched, verified, trusted or loaded."""

    code = "VK310"


class SourceError(VisionkitError):
    """An input that cannot be opened, or a picture that cannot be decoded."""

    code = "VK320"


class SinkError(VisionkitError):
    """An output that cannot be written."""

    code = "VK330"


class DiskFullError(SinkError):
    """No room left on the device that holds the output."""

    code = "VK331"


class StageError(VisionkitError):
    """A stage failed on a packet; the original exception is its ``__cause__``."""

    code = "VK340"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'?`` for the nearest known word, or an empty string."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(repr(name) for name in near)}?" if near else ""
