"""An expression's text, cut into tokens by one regular expression (linear in its length)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from visionkit.expr.errors import SIZE, SYNTAX, fail, quote

MAX_LENGTH = 2000
NUMBER, TEXT, NAME, SYMBOL, END = "number", "text", "name", "symbol", "end"

_TOKEN = re.compile(
    r"""
    (?P<space>   [\ \t\r\n]+ )
  | (?P<number>  (?: [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? )
  | (?P<name>    [^\W\d]\w* )
  | (?P<text>    "[^"\\\r\n]*" | '[^'\\\r\n]*' )
  | (?P<symbol>  \*\* | // | <= | >= | == | != | [-+*/%<>().,\[\]=] )
    """,
    re.VERBOSE,
)
_WRITE_INSTEAD = {
    "!": "write not, or != to compare",
    "&": "write and",
    "|": "write or",
    "\\": "a text has no escapes; to hold one kind of quote, put it in the other kind",
    "{": "names stand alone here; braces belong to templates",
    "}": "names stand alone here; braces belong to templates",
    "$": "a variable is put in when the file is loaded; here write the value's name alone",
    "^": "a power is written **",
    "?": "a choice is written: a if condition else b",
    ":": "a choice is written: a if condition else b",
    "#": "put quotes around a text that holds #",
    "@": "put quotes around a text",
    ";": "write one expression; join conditions with and",
}


@dataclass(frozen=True)
class Token:
    """``text`` as it was written, from character ``offset`` on."""

    kind: str
    text: str
    offset: int


def tokenize(text: str, start: int = 0, stop: int | None = None) -> list[Token]:
    """The tokens of ``text[start:stop]``, ended by one of kind END; offsets count in all of ``text``.

    Raises:
        ExprError: a character or a text in quotes that cannot be read, or too long a text.
    """
    if len(text) > MAX_LENGTH:
        fail(SIZE, MAX_LENGTH, f"has {len(text)} characters, at most {MAX_LENGTH} are allowed", "split it over several stages")
    tokens, at, end = [], start, len(text) if stop is None else stop
    while at < end:
        match = _TOKEN.match(text, at, end) or _unreadable(text, at)
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*tokens, Token(END, "", end)]


def _unreadable(text: str, at: int) -> re.Match[str]:
    character = text[at]
    if character in "\"'":
        if "\\" in text[at:].partition("\n")[0]:
            at += text[at:].index("\\")
            fail(SYNTAX, at, "a text in quotes may not hold a backslash", _WRITE_INSTEAD["\\"])
        fail(SYNTAX, at, f"the text that starts with {character} has no closing {character} on its line", f"close it with {character}")
    fail(SYNTAX, at, f"{quote(character)} has no meaning here", _WRITE_INSTEAD.get(character, "put quotes around a text"))
