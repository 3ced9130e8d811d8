"""Templates: texts with ``{names}`` in them, for labels and paths.

``{car.plate.text}``, with a default for null ``{car.plate.text|-}``, with a format ``{score:.2f}``, with both, the
format last: ``{car.plate.score|unread:.2f}``. The default is printed as it is. ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from visionkit.expr import values as v
from visionkit.expr.checker import resolve_value
from visionkit.expr.compiler import Env, Run, lookup
from visionkit.expr.errors import KIND, SIZE, TEMPLATE, ExprError, fail, quote
from visionkit.expr.formats import Format, parse_format, plain
from visionkit.expr.nodes import Name
from visionkit.expr.parsed import Parsed
from visionkit.expr.types import Kind, Scope

MAX_LENGTH = 2000
MAX_SLOTS = 64
_PART = re.compile(r"(?P<open>\{\{)|(?P<close>\}\})|\{(?P<slot>[^{}]*)\}|(?P<text>[^{}]+)")
_NAME = re.compile(r"[^\W\d_]\w*(?:\.[^\W\d_]\w*)*")


@dataclass(frozen=True)
class Slot:
    """One pair of braces."""

    name: Name
    default: str
    format: Format | None
    run: Run

    def show(self, value: v.Value) -> str:
        if value is None:
            return self.default
        return self.format(value) if self.format else plain(value)


class Template(Parsed):
    """A parsed template.

    Attributes:
        text: as it was written.
        names: every dotted name in it.
        parts: plain texts and slots, in order.
    """

    names: frozenset[str]
    parts: tuple[str | Slot, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``text``.

        Raises:
            ExprError: a brace without its pair, or braces around something else than a name with default and format.
        """
        parts = tuple(_parts(text))
        names = frozenset(part.name.dotted for part in parts if isinstance(part, Slot))
        return cls(text, names=names, parts=parts)

    def check_all(self, scope: Scope, rows: bool = True) -> list[ExprError]:
        """Every problem against ``scope``, in the order of the text; without ``rows``, columns are a problem too."""
        problems: list[ExprError] = []
        owners: dict[str, None] = {}
        for slot in self._slots():
            try:
                owner = _check(slot, scope, rows)
                owners |= {} if owner is None else {owner: None}
                if len(owners) > 1:
                    names = " and of ".join(name or "the columns here" for name in owners)
                    fail(KIND, slot.name.offset, f"combines rows of {names}, which do not belong together", "use columns of one value")
            except ExprError as error:
                problems.append(error)
        return problems

    def render(self, env: Env) -> str:
        """The text with every name filled in from scalars.

        Raises:
            ExprError: an unknown name or column, or a column where a scalar is needed.
        """
        return "".join(part if isinstance(part, str) else part.show(_scalar(part, env)) for part in self.parts)

    def render_rows(self, env: Env, count: int) -> list[str]:
        """One text for each of ``count`` rows; scalars are the same in all of them.

        Raises:
            ExprError: an unknown name or column, or a column of another length.
        """
        columns = [[part] * count if isinstance(part, str) else _column(part, env, count) for part in self.parts]
        return ["".join(texts) for texts in zip(*columns, strict=True)] if columns else [""] * count

    def _slots(self) -> Iterator[Slot]:
        return (part for part in self.parts if isinstance(part, Slot))


def _parts(text: str) -> Iterator[str | Slot]:
    if len(text) > MAX_LENGTH:
        fail(SIZE, MAX_LENGTH, f"has {len(text)} characters, at most {MAX_LENGTH} are allowed", "shorten it")
    at = slots = 0
    while at < len(text):
        match = _PART.match(text, at) or _unpaired(text, at)
        if match["slot"] is None:
            yield match.group()[0] if match["text"] is None else match["text"]
        else:
            slots += 1
            if slots > MAX_SLOTS:
                fail(SIZE, at, f"has more than {MAX_SLOTS} names in braces", "shorten it")
            yield _slot(match["slot"], at + 1)
        at = match.end()


def _unpaired(text: str, at: int) -> re.Match[str]:
    brace, other = text[at], {"{": "}", "}": "{"}[text[at]]
    mend = "close the name with }; for the character { itself," if brace == "{" and "}" not in text[at:] else f"for the character {brace} itself,"
    fail(TEMPLATE, at, f"{brace} without its {other}", f"{mend} write {brace * 2}")


def _slot(inner: str, offset: int) -> Slot:
    match = _NAME.match(inner)
    rest = inner[match.end() :] if match else inner
    if match is None or (rest and rest[0] not in "|:"):
        at = offset + (match.end() if match else 0)
        help = "write a name, then maybe |default, then maybe :format, as in {car.plate.score|-:.2f}; a brace itself is {{"
        fail(TEMPLATE, at, f"braces hold one name, not {quote(inner)}", help)
    name, at = _name(match.group(), offset), offset + match.end()
    default, colon, spec = rest.partition(":")
    format = parse_format(spec, at + len(default) + 1) if colon else None
    return Slot(name, default[1:], format, lookup(name))


def _name(dotted: str, offset: int) -> Name:
    path = tuple(dotted.split("."))
    starts = [offset]
    for part in path[:-1]:
        starts.append(starts[-1] + len(part) + 1)
    return Name(offset, path, tuple(starts))


def _check(slot: Slot, scope: Scope, rows: bool) -> str | None:
    """Whose rows the slot has a value for, None for a scalar; raises what is wrong with it."""
    name = slot.name
    type_ = resolve_value(name, scope)
    if type_.per_row and not rows:
        fail(KIND, name.offset, f"{name.dotted} has one value per row; a single one is needed here", "use a name that is one value")
    wanted = slot.format.kind if slot.format else Kind.ANY
    if Kind.ANY not in (wanted, type_.kind) and wanted is not type_.kind and wanted is not Kind.TEXT:
        fail(KIND, name.offset, f"the format {quote(slot.format.spec if slot.format else '')} needs a number, but {name.dotted} is {type_.kind.value}", "leave the format out")
    return (name.path[0] if len(name.path) > 1 else "") if type_.per_row else None


def _scalar(slot: Slot, env: Env) -> v.Value:
    value = slot.run(env)
    if v.is_column(value):
        fail(KIND, slot.name.offset, f"{slot.name.dotted} has one value per row; a single one is needed here", "use a name that is one value")
    return value


def _column(slot: Slot, env: Env, count: int) -> list[str]:
    value = slot.run(env)
    if v.is_column(value) and len(value) != count:
        fail(KIND, slot.name.offset, f"{slot.name.dotted} has {len(value)} rows where {count} are needed", "use columns of one value")
    return [slot.show(item) for item in v.rows(value, count)]
