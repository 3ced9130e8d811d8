"""Templates: texts with ``{names}`` in them, for labels and paths.

``{car.plate.text}``, with a default for null ``{car.plate.text|-}``, with a format ``{score:.2f}``, with both, the
format last: ``{car.plate.score|unread:.2f}``. The default is printed as it is. ``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn, Self

from visionkit.expr import values as v
from visionkit.expr.checker import owner_of, resolve_value, strangers
from visionkit.expr.compiler import Env, Run, lookup
from visionkit.expr.errors import KIND, SIZE, TEMPLATE, ExprError, fail, quote
from visionkit.expr.formats import Format, parse_format, plain
from visionkit.expr.nodes import Name
from visionkit.expr.parsed import Parsed
from visionkit.expr.types import Kind, Scope
from visionkit.frozen import Frozen

MAX_LENGTH = 2000
MAX_SLOTS = 64
_PART = re.compile(r"(?P<open>\{\{)|(?P<close>\}\})|\{(?P<slot>[^{}]*)\}|(?P<text>[^{}]+)")
_NAME = re.compile(r"[^\W\d_]\w*(?:\.[^\W\d_]\w*)*")


class Slot(Frozen):
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
        owners: list[str | None] = []
        for slot in (part for part in self.parts if isinstance(part, Slot)):
            try:
                owners.append(_check(slot, scope, rows))
            except ExprError as error:
                problems.append(error)
            if not problems and (stranger := strangers(owners, slot.name.offset)):
                problems.append(stranger)
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
    close = "close the name with }; " if brace == "{" and other not in text[at:] else ""
    fail(TEMPLATE, at, f"{brace} without its {other}", f"{close}for the character {brace} itself, write {brace * 2}")


def _slot(inner: str, offset: int) -> Slot:
    match = _NAME.match(inner)
    rest = inner[match.end() :] if match else inner
    if match is None or (rest and rest[0] not in "|:"):
        at = offset + (match.end() if match else 0)
        help = "write a name, maybe |default, maybe :format, as in {car.plate.score|-:.2f}; a brace itself is {{"
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
        _needs_one(name)
    if slot.format and slot.format.kind is Kind.NUMBER and type_.kind not in (Kind.NUMBER, Kind.ANY):
        message = f"the format {quote(slot.format.spec)} needs a number, but {name.dotted} is {type_.kind.value}"
        fail(KIND, name.offset, message, "leave the format out, or give only a width, as in {x:>8}")
    return owner_of(name, type_, scope)


def _needs_one(name: Name) -> NoReturn:
    message = f"{name.dotted} has one value per row, but a single one is needed here"
    fail(KIND, name.offset, message, "use a name that stands for one value")


def _scalar(slot: Slot, env: Env) -> v.Value:
    value = slot.run(env)
    if v.is_column(value):
        _needs_one(slot.name)
    return value


def _column(slot: Slot, env: Env, count: int) -> list[str]:
    value = slot.run(env)
    if v.is_column(value) and len(value) != count:
        message = f"{slot.name.dotted} has {len(value)} rows where {count} are needed"
        fail(KIND, slot.name.offset, message, "use columns of one value")
    return [slot.show(item) for item in v.rows(value, count)]
