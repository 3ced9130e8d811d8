"""Damages pipeline files at random: characters, lines, indentation, keys, types, expressions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

from tests.language.corpus import FILES, HOSTILE

CHARACTERS = [
    *"{}[],:#&*!|>'\"%@`$-? \n\t\\/()=<>+.abz019_é²٣",
    *"\x85\u2028\u202e\ufeff\u00a0\U0001f600\r\0",
]
WORDS = """
version description vars stages outputs exports run id in when enabled on_error as pad every until set frames seconds
per track file use for_each python detect draw.boxes filter.blur edges.canny toy.objects toy.score toy.scan merge nms
crop source cars tracks read car count score class_name track_id height nothing label media jsonl csv path weights
min_score size track.bytetrack classify tile contours
""".split()
VALUES = [
    *"0 -1 1.5 1e400 .nan .inf 0x10 12:30 2001-01-01 true no null ~ '' [] {} $n $$ $nothing a$n *a << @x".split(),
    *("9" * 30, "[1, [2, {a: b}]]", "{a: {b: c}}", "[detect]", "|\n  text", ">-\n  a\n  b", "&a b", "!x y", "a: b: c"),
    *("!!python/name:os.system x", "'quoted'", '"\\u0041"', '"\\ud800"', "{source.name}", "{class_name} {score}"),
    *("[cars.count > 3]", "#{track_id}", "- a", "? a", "100%", "0.5 0.5"),
]
PIECES = """
cars cars.count cars.score car.height car.plate.score text text.score index pts source_name nothing cars.nothing any(
all( count( mean( vote( best( last( max( round( window= ) and or not in is null if else == = < >= + - * / % ** ( , . [ ]
{ } {class_name {score:.2f} |-} 'a' " 0 1.5 9e99 __class__ eval( lambda $n
""".split()

Mutation = Callable[[Random, str], str]


def characters(rng: Random, text: str) -> str:
    """A few characters cut out, doubled, replaced or put in."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        end = min(len(text), at + rng.choice([0, 1, 1, 2, 8]))
        text = text[:at] + rng.choice(["", rng.choice(CHARACTERS), text[at:end] * 2]) + text[end:]
    return text


def lines(rng: Random, text: str) -> str:
    """Lines dropped, doubled, swapped, or taken from another file."""
    rows = text.splitlines(keepends=True) or ["\n"]
    for _ in range(rng.randint(1, 3)):
        i, j = rng.randrange(len(rows)), rng.randrange(len(rows))
        kind = rng.randrange(4)
        if kind == 0 and len(rows) > 1:
            del rows[i]
        elif kind == 1:
            rows.insert(j, rows[i])
        elif kind == 2:
            rows[i], rows[j] = rows[j], rows[i]
        else:
            rows.insert(j, rng.choice(rng.choice(list(FILES.values())).splitlines(keepends=True)))
    return "".join(rows)


def indentation(rng: Random, text: str) -> str:
    """Lines moved to the left or right, by spaces or a tab."""
    rows = text.splitlines(keepends=True) or ["\n"]
    for _ in range(rng.randint(1, 4)):
        i = rng.randrange(len(rows))
        row = rows[i]
        rows[i] = rng.choice([" " * rng.randint(1, 6) + row, row[rng.randint(1, 4) :], "\t" + row, row.lstrip()])
    return "".join(rows)


def words(rng: Random, text: str) -> str:
    """A word in another's place: keys, names of stages, ids, columns."""
    for _ in range(rng.randint(1, 3)):
        found = list(re.finditer(r"[\w.]+", text))
        if not found:
            return text
        word = rng.choice(found)
        old, other = word.group(), rng.choice(found).group()
        new = rng.choice([rng.choice(WORDS), old[:-1], old + "x", other, "$" + old])
        text = text[: word.start()] + new + text[word.end() :]
    return text


def values(rng: Random, text: str) -> str:
    """A value of another type."""
    for _ in range(rng.randint(1, 2)):
        found = list(re.finditer(r": ([^,{}\[\]\n#]+|\{|\[)", text))
        if not found:
            return text
        value = rng.choice(found)
        text = text[: value.start(1)] + rng.choice(VALUES) + text[value.end(1) :]
    return text


def expressions(rng: Random, text: str) -> str:
    """A soup of pieces where an expression or a template stands."""
    found = list(re.finditer(r"\b(?:when|until|label|where|path|plate|mean_score|kind): ([^\n]+)", text))
    if not found:
        return values(rng, text)
    place = rng.choice(found)
    soup = _soup(rng)
    quote = rng.choice(["", "'", '"', '"'])
    inside = soup.replace(quote, "") if quote else soup
    tail = "}" if place[0].endswith("}") else ""
    return text[: place.start(1)] + quote + inside + quote + tail + text[place.end(1) :]


def anchors(rng: Random, text: str) -> str:
    """Anchors and aliases sprinkled over values."""
    for name in "ab":
        for sigil in (f"&{name} ", f"*{name} "):
            at = rng.choice([m.end() for m in re.finditer(r"[:\-,\[] ", text)] or [0])
            text = text[:at] + sigil + text[at:]
    return text


def wrapped(rng: Random, text: str) -> str:
    """The whole file one level deeper, or cut off, or twice."""
    half = rng.randrange(len(text) + 1)
    indented = "".join("  " + row for row in text.splitlines(keepends=True))
    deeper = ["a:\n" + indented, "-\n" + indented, "{" + text]
    return rng.choice([*deeper, text[:half], text + text, text[half:] + text[:half]])


MUTATIONS: tuple[Mutation, ...] = (
    *(characters, characters, lines, lines, indentation, words, words, words),
    *(values, values, values, expressions, expressions, expressions, anchors, wrapped),
)


@cache
def _tree(text: str) -> str:
    from ruamel.yaml import YAML

    return json.dumps(YAML(typ="safe", pure=True).load(text), ensure_ascii=False)


def tree(rng: Random) -> str:
    """A good file whose keys and values were changed as data: YAML has nothing to say against it."""
    root = json.loads(_tree(rng.choice(list(FILES.values()))))
    for _ in range(rng.choice([1, 1, 2, 4])):
        _change(rng, root)
    return json.dumps(root, ensure_ascii=False, indent=rng.choice([None, 1]))


def _change(rng: Random, node: Any) -> None:
    """Changes something in a list or mapping, or deeper in it."""
    if not node:
        return
    key = rng.choice(list(node) if isinstance(node, dict) else range(len(node)))
    child = node[key]
    if isinstance(child, (dict, list)) and rng.random() < 0.85:
        _change(rng, child)
        return
    kind = rng.randrange(6)
    if kind == 0 and isinstance(node, dict):
        node[rng.choice(WORDS)] = node.pop(key)
    elif kind == 1:
        del node[key]
    elif kind == 2 and isinstance(node, list):
        node.insert(rng.randrange(len(node) + 1), child)
    elif kind == 3:
        node[key] = rng.choice([[child], {"a": child}, {rng.choice(WORDS): child}, None, str(child), [], {}])
    elif kind == 4:
        node[key] = _soup(rng)
    else:
        texts = ["$n", "$nothing", "a$n", "", " ", "é", "{class_name}"]
        node[key] = rng.choice([*WORDS, *texts, 0, -1, 1.5, 10**30, True, 1e308])


def _soup(rng: Random) -> str:
    return " ".join(rng.choice(PIECES) for _ in range(rng.choice([1, 3, 5, 12])))


def damaged(rng: Random) -> str:
    """A file changed as data, or one good (sometimes one hostile) text damaged one to three times."""
    if rng.random() < 0.5:
        return tree(rng)
    text = rng.choice(list(HOSTILE.values())) if rng.random() < 0.1 else rng.choice(list(FILES.values()))
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        text = rng.choice(MUTATIONS)(rng, text)
    return text[:6000]
