"""How a template prints a value: the bounded part of Python's format specifications, and a plain print without one."""

from __future__ import annotations

import math
import re
from typing import Any

from visionkit.expr.errors import TEMPLATE, fail, quote
from visionkit.expr.types import Kind
from visionkit.frozen import Frozen

MAX_PRECISION = 20
_SPEC = (
    r"(?:(?P<fill>[^{}])?(?P<align>[<>^]))?(?P<sign>[-+ ])?(?P<zero>0)?(?P<width>[1-9][0-9]?)?"
    r"(?P<comma>,)?(?:\.(?P<precision>[0-9]{1,2}))?(?P<type>[dfeg%s])?"
)
ALLOWED = "[[fill]<>^][+][0][width up to 99][,][.precision up to 20][d f e g % s], such as .2f, 05d, >8 or .0%"


class Format(Frozen):
    """A checked format specification.

    Attributes:
        spec: as it was written, after the colon.
        kind: what it prints: numbers, texts, or (ANY) either, as they are.
        decimals: whether it prints digits after the point; None where the number decides.
    """

    spec: str
    kind: Kind
    decimals: bool | None

    def __call__(self, value: Any) -> str:
        """``value`` (not null) as text; of the wrong kind, it is printed as it is."""
        if self.kind is not Kind.NUMBER:
            return format(plain(value), self.spec)
        if isinstance(value, (bool, str)) or not math.isfinite(value):
            return plain(value)
        decimals = self.decimals if self.decimals is not None else not float(value).is_integer()
        return format(float(value) if decimals else round(value), self.spec)


def parse_format(spec: str, offset: int) -> Format:
    """Read a specification, the part after the colon.

    Raises:
        ExprError: it is none of those allowed.
    """
    match = re.fullmatch(_SPEC, spec)
    if match is None or not spec or int(match["precision"] or 0) > MAX_PRECISION:
        fail(TEMPLATE, offset, f"{quote(spec)} is not a format", f"allowed: {ALLOWED}")
    numeric = bool(match["sign"] or match["zero"] or match["comma"] or (match["type"] or "s") != "s")
    if numeric and match["type"] == "s":
        fail(TEMPLATE, offset, f"{quote(spec)} mixes the format of a number and of a text", "leave out s, or the rest")
    if match["type"] == "d" and match["precision"]:
        message = f"{quote(spec)} asks a whole number for digits after the point"
        fail(TEMPLATE, offset, message, "write f in place of d, or leave out the precision")
    if not numeric and match["precision"] and not match["type"]:
        numeric = True  # .3 alone: three significant digits, as for a number in Python
    kind = Kind.NUMBER if numeric else Kind.TEXT if match["type"] else Kind.ANY
    decimals = None if not (match["precision"] or match["type"]) else match["type"] != "d"
    return Format(spec, kind, decimals)


def plain(value: Any) -> str:
    """A value without a format: 7.0 as ``7``, 0.8734567 as ``0.873457``, True as ``true``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, float):
        return str(value)
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if 1e-4 <= abs(value) < 1e15:
        return f"{value:.6f}".rstrip("0").rstrip(".")
    return f"{value:g}"
