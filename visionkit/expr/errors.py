"""The one error of the small language.

====== =====================================================
VK150  the text is no expression, or uses what is not allowed
VK151  an unknown name
VK152  an unknown column
VK153  kinds that do not fit
VK154  too long or too deep
VK155  the text is no template
====== =====================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from visionkit.errors import VisionkitError, did_you_mean

SYNTAX, NAME, COLUMN, KIND, SIZE, TEMPLATE = "VK150", "VK151", "VK152", "VK153", "VK154", "VK155"


class ExprError(VisionkitError, ValueError):
    """A mistake in an expression or a template.

    Attributes:
        offset: where, counted in characters of the text from 0 (its length stands for "at the end").
        message: what was found and what is allowed.
        help: the next step.
    """

    code = SYNTAX

    def __init__(self, code: str, offset: int, message: str, help: str = "") -> None:
        super().__init__(message, help=help, code=code)
        self.offset = offset

    def __reduce__(self) -> tuple[type[ExprError], tuple[str, int, str, str]]:
        return ExprError, (self.code, self.offset, self.message, self.help)


def fail(code: str, offset: int, message: str, help: str = "") -> NoReturn:
    """Raise an :class:`ExprError`."""
    raise ExprError(code, offset, message, help)


def suggest(word: str, known: Iterable[str], label: str) -> str:
    """A help line: did-you-mean when something is near, then everything there is."""
    names = sorted(known)
    shown = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    return "\n".join(filter(None, [did_you_mean(word, names), f"{label}: {shown or '(none)'}"]))


def quote(text: str, limit: int = 40) -> str:
    """``text`` in quotes, shortened, with control characters made visible."""
    return repr(text if len(text) <= limit else text[: limit - 3] + "...")
