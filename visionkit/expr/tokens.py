"""An expression's text, cut into tokens by one regular expression (linear in its length)."""

from __future__ import annotations

import re

from visionkit.expr.errors import SIZE, SYNTAX, fail, quote
from visionkit.frozen import Frozen

MAX_LENGTH = 2000
NUMBER, TEXT, NAME, SYMBOL, END = "number", "text", "name", "symbol", "end"

_TOKEN = r"""(?x)
    (?P<space>   [\ \t\r\n]+ )
  | (?P<number>  (?: [0-9]+ (?:\.[0-9]*)? | \.[0-9]+ ) (?: [eE][+-]?[0-9]+ )? )
  | (?P<name>    [^\W\d]\w* )
  | (?P<text>    "[^"\\\r\n]*" | '[^'\\\r\n]*' )
  | (?P<symbol>  \*\* | // | <= | >= | == | != | [-+*/%<>().,\[\]=] )
"""
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


class Token(Frozen):
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
        message = f"has {len(text)} characters, at most {MAX_LENGTH} are allowed"
        fail(SIZE, MAX_LENGTH, message, "split it over several stages")
    token = re.compile(_TOKEN)
    tokens, at, end = [], start, len(text) if stop is None else stop
    while at < end:
        match = token.match(text, at, end) or _unreadable(text, at)
        if match.lastgroup != "space":
            tokens.append(Token(str(match.lastgroup), match.group(), at))
        at = match.end()
    return [*tokens, Token(END, "", end)]


def _unreadable(text: str, at: int) -> re.Match[str]:
    character, line = text[at], text[at:].splitlines()[0]
    if character in "\"'" and "\\" in line:
        fail(SYNTAX, at + line.index("\\"), "a text in quotes may not hold a backslash", _WRITE_INSTEAD["\\"])
    if character in "\"'":
        message = f"the text that starts with {character} has no closing {character} on its line"
        fail(SYNTAX, at, message, f"close it with {character}")
    help = _WRITE_INSTEAD.get(character, "put quotes around a text")
    fail(SYNTAX, at, f"{quote(character)} has no meaning here", help)
