"""What a track remembers."""

from __future__ import annotations

import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionkit.expr import ExprError, Kind, Record, Scope, Setter, Type, with_rows

NUMBER, TEXT = Kind.NUMBER, Kind.TEXT
SCOPE: Scope = {
    "text": Record({"text": Type(TEXT, True), "score": Type(NUMBER, True)}, "text lines"),
    "label": Record({"class_name": Type(TEXT), "score": Type(NUMBER)}, "labels"),
    "box": Record({"width": Type(NUMBER), "inner": Record({"x": Type(NUMBER, True)})}, "box"),
    "n": Type(NUMBER),
    "word": Type(TEXT),
    "flag": Type(Kind.BOOL),
    "any": Type(Kind.ANY, True),
}


def read(text: str, score: float | None) -> dict[str, Any]:
    return {"text": text, "score": score}


def after(setter: str, readings: list[Any]) -> Any:
    memory = Setter.parse(setter).start()
    for reading in readings:
        memory.update(reading)
    return memory.value


@pytest.mark.parametrize(
    ("setter", "readings", "expected"),
    [
        ("vote(text)", [], None),
        ("vote(text)", [None, None], None),
        ("vote(text)", [read("a", 0.5)], read("a", 0.5)),
        ("vote(text)", [read("a", 0.9), read("b", 0.5), read("b", 0.3)], read("a", 0.9)),
        ("vote(text)", [read("a", 0.9), read("b", 0.5), None, read("b", 0.6)], read("b", 0.6)),
        ("vote(text)", [read("a", 0.5), read("b", 0.5)], read("b", 0.5)),  # a tie goes to the latest
        ("vote(text)", [read("b", 0.25), read("a", 0.5), read("b", 0.25)], read("b", 0.25)),
        ("vote(text)", [read("a", 0.9), read("b", 0.1), read("a", 0.2)], read("a", 0.2)),  # fields of the latest such
        ("vote(text)", [read("a", 0.1), read("b", None), read("c", math.nan)], read("a", 0.1)),
        ("vote(text)", [read("a", None)], read("a", None)),
        ("vote(text, window=2)", [read("a", 0.9), read("b", 0.1), read("b", 0.1)], read("b", 0.1)),
        ("vote(text, window=2)", [read("a", 0.9), None, None, read("b", 0.1)], read("a", 0.9)),  # None is no reading
        ("vote(text)", [read("a", 0.9)] + [read("b", 0.1)] * 5, read("b", 0.1)),  # window 5 is the default
        ("vote(text)", [{"text": None, "score": None}, read("a", 0.1)], read("a", 0.1)),
        ("vote(text)", [{"text": None, "score": 0.9}, read("a", 0.1)], read("a", 0.1)),
        ("vote(label)", [{"class_name": "car", "score": 0.6}] * 2, {"class_name": "car", "score": 0.6}),
        ("vote(word)", ["a", "b", "a", None, math.nan], "a"),
        ("vote(word)", ["a", "b"], "b"),
        ("vote(n)", [1.0, 2.0, 1.0], 1.0),
        ("best(text)", [read("a", 0.5), read("b", 0.9), read("c", 0.7)], read("b", 0.9)),
        ("best(text)", [read("a", 0.9), read("b", 0.9)], read("b", 0.9)),
        ("best(text)", [read("a", 0.1), read("b", None)], read("a", 0.1)),
        ("best(text)", [read("a", None), None], read("a", None)),
        ("best(text, window=2)", [read("a", 0.9), read("b", 0.5), read("c", 0.4)], read("b", 0.5)),
        ("best(n)", [3, 9, math.nan, 5], 9),
        ("last(text)", [read("a", 0.9), read("b", 0.1), None], read("b", 0.1)),
        ("text", [read("a", 0.9), read("b", 0.1)], read("b", 0.1)),
        ("n * 2", [1, None, math.nan], 1),
        ("flag", [True, False], False),
        ("mean(n)", [1, 2, None, math.nan, 6], 3),
        ("mean(n)", [None], None),
        ("mean(n, window=2)", [1, 2, 6], 4),
    ],
)
def test_value(setter: str, readings: list[Any], expected: Any) -> None:
    assert after(setter, readings) == expected


def scalar_record(**fields: Kind) -> Record:
    return Record({name: Type(kind) for name, kind in fields.items()})


@pytest.mark.parametrize(
    ("setter", "reducer", "argument", "window", "type_"),
    [
        (
            "vote(text, window=5)",
            "vote",
            "text",
            5,
            Record(scalar_record(text=TEXT, score=NUMBER).fields, "text lines"),
        ),
        ("vote( text )", "vote", "text", 5, Record(scalar_record(text=TEXT, score=NUMBER).fields, "text lines")),
        ("best(label)", "best", "label", None, Record(scalar_record(class_name=TEXT, score=NUMBER).fields, "labels")),
        ("last(box)", "last", "box", None, Record({"width": Type(NUMBER), "inner": scalar_record(x=NUMBER)}, "box")),
        ("box.inner", "last", "box.inner", None, scalar_record(x=NUMBER)),
        ("mean(text.score)", "mean", "text.score", None, Type(NUMBER)),
        ("mean(text.score, window = 10)", "mean", "text.score", 10, Type(NUMBER)),
        ("mean(any)", "mean", "any", None, Type(NUMBER)),
        ("last(mean(text.score))", "last", "mean(text.score)", None, Type(NUMBER)),
        ("mean(text.score) > 0.5", "last", "mean(text.score) > 0.5", None, Type(Kind.BOOL)),
        ("best(max(n, 3), window=2)", "best", "max(n, 3)", 2, Type(NUMBER)),
        ("vote(word)", "vote", "word", 5, Type(TEXT)),
        ("word in ['a', 'b']", "last", "word in ['a', 'b']", None, Type(Kind.BOOL)),
        ("vote(word if n in [1, 2] else 'x', window=3)", "vote", "word if n in [1, 2] else 'x'", 3, Type(TEXT)),
        ("(n)", "last", "(n)", None, Type(NUMBER)),
    ],
)
def test_reads(setter: str, reducer: str, argument: str, window: int | None, type_: Type | Record) -> None:
    parsed = Setter.parse(setter)
    assert (parsed.reducer, parsed.argument.text.strip(), parsed.window) == (reducer, argument, window)
    assert parsed.check_all(SCOPE) == []
    assert parsed.type(SCOPE) == type_
    assert parsed.names == parsed.argument.names


@pytest.mark.parametrize(
    ("text", "code", "caret", "message", "help"),
    [
        ("", "VK150", "^", "is empty", "condition"),
        ("vote()", "VK150", "     ^", "is empty", "condition"),
        ("vote(text", "VK150", "         ^", "ends where ) to close vote(", "complete"),
        ("vote(text,)", "VK150", "          ^", "only window=NUMBER", "vote(x, window=5)"),
        ("vote(text, 5)", "VK150", "           ^", "only window=NUMBER", "vote(x, window=5)"),
        ("vote(text, window=x)", "VK150", "           ^", "only window=NUMBER", "vote(x, window=5)"),
        ("vote(text, window=5, window=6)", "VK150", "           ^", "only window=NUMBER", "vote(x, window=5)"),
        ("vote(text, window=0)", "VK150", "                  ^", "from 1 to 10000, got '0'", "vote(x, window=5)"),
        ("vote(text, window=2.5)", "VK150", "                  ^", "got '2.5'", "vote(x, window=5)"),
        ("vote(text, window=10001)", "VK150", "                  ^", "got '10001'", "vote(x, window=5)"),
        ("last(text, window=2)", "VK150", "           ^", "last has no window", "latest reading"),
        ("vote(vote(n))", "VK150", "     ^", "remembers over time", "vote(x, window=5)"),
        ("best(n) + 1", "VK150", "^", "remembers over time", "best(x)"),
        ("vote(n ++ 1)", "VK150", "        ^", "+ stands between", "leave it out"),
        ("vote(tex)", "VK151", "     ^", "no value named 'tex'", "did you mean 'text'?"),
        ("vote(text.txt)", "VK152", "          ^", "no column 'txt'", "did you mean 'text'?"),
        ("mean(text)", "VK153", "     ^", "mean needs a number, got text lines", "score, text"),
        ("mean(word)", "VK153", "     ^", "mean needs a number, got a text", "x.score"),
        ("best(word)", "VK153", "     ^", "best needs a number, got a text", "score is known"),
        ("best(box)", "VK153", "     ^", "best needs a score", "inner, width"),
        ("vote(box)", "VK153", "     ^", "vote needs a text or a class_name, not box", "inner, width"),
        ("vote(n + word)", "VK153", "         ^", "+ needs a number", "template"),
        ("box", "", "", "", ""),
    ],
)
def test_mistakes(text: str, code: str, caret: str, message: str, help: str) -> None:
    if not code:
        assert Setter.parse(text).check_all(SCOPE) == []
        return
    with pytest.raises(ExprError) as caught:
        Setter.parse(text).type(SCOPE)
    error = caught.value
    assert (error.code, error.offset) == (code, len(caret) - 1), f"\n{text}\n{' ' * error.offset}^ {error}"
    assert message in error.message
    assert help in error.help


def test_all_problems_at_once() -> None:
    problems = Setter.parse("vote(nn + wword, window=3)").check_all(SCOPE)
    assert [(problem.code, problem.offset) for problem in problems] == [("VK151", 5), ("VK151", 10)]


@pytest.mark.parametrize(
    "setter", ["vote(text)", "best(text, window=7)", "best(text)", "last(text)", "mean(n, window=7)", "mean(n)"]
)
def test_memory_is_bounded(setter: str) -> None:
    memory = Setter.parse(setter).start()
    sizes = []
    for i in range(300):
        memory.update(float(i) if setter.startswith("mean") else read(f"text {i:03}", 0.5))
        sizes.append(len(pickle.dumps(getattr(memory, "_readings", memory.value))))
    assert max(sizes[50:]) <= max(sizes[:50]) + 64


def test_readings_of_the_wrong_kind() -> None:
    memory = Setter.parse("mean(any)").start()
    with pytest.raises(ExprError, match="needs a number, got 'a'"):
        memory.update("a")
    memory = Setter.parse("best(any)").start()
    memory.update(1)
    with pytest.raises(ExprError, match="needs a number, got 'a'"):
        memory.update("a")


scores = st.one_of(st.none(), st.integers(0, 8).map(lambda n: n / 8))
readings = st.lists(st.one_of(st.none(), st.builds(read, st.sampled_from("abc"), scores)), max_size=30)


@given(readings, st.integers(1, 8))
def test_vote_equals_its_definition(drawn: list[dict[str, Any] | None], window: int) -> None:
    recent = [reading for reading in drawn if reading][-window:]
    totals = {r["text"]: sum(o["score"] or 0 for o in recent if o["text"] == r["text"]) for r in recent}
    winners = [r for r in recent if totals[r["text"]] == max(totals.values())]
    assert after(f"vote(text, window={window})", drawn) == (winners[-1] if winners else None)


@given(readings)
def test_best_and_last_equal_their_definitions(drawn: list[dict[str, Any] | None]) -> None:
    known = [reading for reading in drawn if reading]
    rank = [-1 if r["score"] is None else r["score"] for r in known]
    best = known[len(rank) - 1 - rank[::-1].index(max(rank))] if known else None
    assert after("best(text)", drawn) == best == after("best(text, window=100)", drawn)
    assert after("last(text)", drawn) == (known[-1] if known else None)


def test_two_tracks_do_not_share() -> None:
    setter = Setter.parse("vote(word)")
    one, two = setter.start(), setter.start()
    one.update("a")
    assert two.value is None
    assert pickle.loads(pickle.dumps(setter)) == setter


def test_what_was_set_can_be_a_column_again() -> None:
    columns = with_rows(Setter.parse("vote(text)").type(SCOPE), per_row=True)
    assert columns == SCOPE["text"]
    assert with_rows(columns, per_row=False) == Setter.parse("vote(text)").type(SCOPE)
