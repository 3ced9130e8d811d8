"""Templates: names, defaults, formats; one text or one per row."""

from __future__ import annotations

import math
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from visionkit.expr import ExprError, Kind, Record, Scope, Template, Type

PLAIN = [
    ("", {}, ""),
    ("no names", {}, "no names"),
    ("{{n}} }}{{", {}, "{n} }{"),
    ("#{n}", {"n": 7.0}, "#7"),
    ("#{n}", {"n": np.float32(7)}, "#7"),
    ("#{n}", {"n": np.int64(7)}, "#7"),
    ("{n}", {"n": -0.0}, "0"),
    ("{n}", {"n": 0.87345671}, "0.873457"),
    ("{n}", {"n": np.float32(0.9)}, "0.9"),
    ("{n}", {"n": 1234567.25}, "1234567.25"),
    ("{n}", {"n": 1e-7}, "1e-07"),
    ("{n}", {"n": 1e20}, "1e+20"),
    ("{n}", {"n": True}, "true"),
    ("{n}", {"n": "a{b}"}, "a{b}"),
    ("{n}", {"n": None}, ""),
    ("{n|-}", {"n": None}, "-"),
    ("{n|-}", {"n": float("nan")}, "-"),
    ("{n|}", {"n": None}, ""),
    ("{n|no plate}", {"n": None}, "no plate"),
    ("{n|-:.2f}", {"n": None}, "-"),
    ("{n|-:.2f}", {"n": 0.5}, "0.50"),
    ("{n:.2f}", {"n": 2}, "2.00"),
    ("{n:05d}", {"n": 7.0}, "00007"),
    ("{n:d}", {"n": 7.4}, "7"),
    ("{n:,}", {"n": 1234567.0}, "1,234,567"),
    ("{n:,d}", {"n": 1234567.0}, "1,234,567"),
    ("{n:,}", {"n": 1234.5}, "1,234.5"),
    ("{n:05}", {"n": 7.0}, "00007"),
    ("{n:+}", {"n": 3}, "+3"),
    ("{n:d}", {"n": float("inf")}, "inf"),
    ("{n:d}", {"n": 10**30}, "1000000000000000019884624838656"),
    ("{n:d}", {"n": 10**400}, ""),
    ("{n:.0%}", {"n": 0.25}, "25%"),
    ("{n:+.1e}", {"n": 1500}, "+1.5e+03"),
    ("{n:.3g}", {"n": 3.14159}, "3.14"),
    ("{n:.3}", {"n": 3.14159}, "3.14"),
    ("{n:>6}", {"n": "ab"}, "    ab"),
    ("{n:>6}", {"n": 7.0}, "     7"),
    ("{n:*^6s}", {"n": "ab"}, "**ab**"),
    ("{n:.1s}", {"n": "ab"}, "a"),
    ("{n::>4}", {"n": "ab"}, "::ab"),
    ("{größe}", {"größe": 1}, "1"),
    ("{n:.2f}", {"n": "ab"}, "ab"),
    ("{n:.2f}", {"n": True}, "true"),
    ("{in}", {"in": 1}, "1"),
]


@pytest.mark.parametrize(("text", "env", "expected"), PLAIN)
def test_render(text: str, env: dict[str, Any], expected: str) -> None:
    template = Template.parse(text)
    assert template.render(env) == expected
    assert template.render_rows(env, 2) == [expected, expected]
    columns = {name: np.array([value, None], dtype=object)[:1] for name, value in env.items()}
    assert template.render_rows(columns, 1) == [expected]


def test_rows(scope: Scope, env: dict[str, Any]) -> None:
    template = Template.parse("#{cars.age} {cars.plate.text|-} {cars.width|?:.1f} {name}")
    assert template.check_all(scope) == []
    assert template.names == {"cars.age", "cars.plate.text", "cars.width", "name"}
    assert template.render_rows(env, 3) == ["#1 AB 12 10.0 Ada", "#2 CD ? Ada", "#3 - 80.0 Ada"]
    env["cars"] = None
    assert template.render_rows(env, 2) == ["# - ? Ada"] * 2
    assert template.render_rows(env, 0) == []
    assert Template.parse("").render_rows(env, 2) == ["", ""]


MISTAKES = [
    ("{n", "^", "VK155", "{ without its }", "close the name with }"),
    ("a } b", "  ^", "VK155", "} without its {", "write }}"),
    ("{n {m}}", "^", "VK155", "{ without its }", "write {{"),
    ("{}", " ^", "VK155", "not ''", "write a name"),
    ("{n + 1}", "  ^", "VK155", "not 'n + 1'", "write a name"),
    ("{ n }", " ^", "VK155", "not ' n '", "write a name"),
    ("{n!r}", "  ^", "VK155", "not 'n!r'", "write a name"),
    ("{0}", " ^", "VK155", "not '0'", "write a name"),
    ("{n[0]}", "  ^", "VK155", "not 'n[0]'", "write a name"),
    ("{n.}", "  ^", "VK155", "not 'n.'", "write a name"),
    ("{n.__class__}", "  ^", "VK155", "not", "write a name"),
    ("{_n}", " ^", "VK155", "not", "write a name"),
    ("{n:}", "   ^", "VK155", "'' is not a format", ".2f"),
    ("{n:x}", "   ^", "VK155", "'x' is not a format", ".2f"),
    ("{n:100d}", "   ^", "VK155", "'100d' is not a format", "width up to 99"),
    ("{n|-:.21f}", "     ^", "VK155", "'.21f' is not a format", "precision up to 20"),
    ("{n:.2d}", "   ^", "VK155", "whole number", "f in place of d"),
    ("{n:+s}", "   ^", "VK155", "mixes", "leave out s"),
    ("{n}" * 65, "{n}" * 64 + "^", "VK154", "more than 64 names", "shorten"),
    ("a" * 2001, "a" * 2000 + "^", "VK154", "2001 characters", "shorten"),
]


@pytest.mark.parametrize(("text", "caret", "code", "message", "help"), MISTAKES)
def test_mistakes(text: str, caret: str, code: str, message: str, help: str) -> None:
    with pytest.raises(ExprError) as caught:
        Template.parse(text)
    error = caught.value
    assert (error.code, error.offset) == (code, len(caret) - 1), f"\n{text}\n{' ' * error.offset}^ {error}"
    assert message in error.message
    assert help in error.help


def test_all_problems_against_a_scope(scope: Scope) -> None:
    template = Template.parse("{crs} {cars.wdth} {cars} {name:.2f} {n.x} {flag:d}")
    problems = template.check_all(scope)
    assert [problem.code for problem in problems] == ["VK151", "VK152", "VK153", "VK153", "VK152", "VK153"]
    for problem, name in zip(problems, ["crs", "wdth", "cars}", "name", "x}", "flag"], strict=True):
        assert template.text[problem.offset :].startswith(name), problem
    assert "did you mean 'cars'?" in problems[0].help


def test_columns(scope: Scope) -> None:
    columns = Template.parse("{name} {cars.age}")
    assert columns.check_all(scope) == []
    (problem,) = columns.check_all(scope, rows=False)
    assert "one value per row" in problem.message
    (problem,) = Template.parse("{cars.age} {faces.score}").check_all(scope)
    assert problem.message == "combines rows of cars and of faces, which do not belong together"
    (problem,) = Template.parse("{a} {cars.age}").check_all({**scope, "a": Type(Kind.TEXT, True)})
    assert "the columns here and of cars" in problem.message
    plate = Record({"text": Type(Kind.TEXT, True)}, column=True)
    assert Template.parse("{a} {plate.text}").check_all({"a": Type(Kind.TEXT, True), "plate": plate}) == []


def test_formats_fit_kinds() -> None:
    scope = {"n": Type(Kind.NUMBER), "t": Type(Kind.TEXT), "a": Type(Kind.ANY), "r": Record({})}
    for text in ("{n:.2f}", "{n:>5}", "{n:s}", "{t:>5}", "{t:.3s}", "{a:.2f}", "{a:s}"):
        assert Template.parse(text).check_all(scope) == []
    for text in ("{t:.2f}", "{t:d}", "{t:,}", "{t:+}", "{t:05}", "{r}"):
        assert len(Template.parse(text).check_all(scope)) == 1


def test_values_that_are_not_what_was_promised() -> None:
    template = Template.parse("a{x}")
    with pytest.raises(ExprError, match="one value per row"):
        template.render({"x": np.zeros(2)})
    with pytest.raises(ExprError, match="has 2 rows where 3 are needed"):
        template.render_rows({"x": np.zeros(2)}, 3)
    with pytest.raises(ExprError, match="no value named 'x'") as caught:
        template.render({})
    assert caught.value.offset == 2


@given(st.text())
def test_any_text_can_be_written(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert Template.parse(escaped).render({}) == text


@given(
    st.from_regex(r"(.?[<>^])?[-+ ]?0?[1-9]?,?(\.[0-9])?[dfeg%s]?", fullmatch=True).filter(
        lambda s: not set(s) & set("{}")
    )
)
def test_a_format_that_is_read_never_fails(spec: str) -> None:
    try:
        template = Template.parse(f"{{n:{spec}}}")
    except ExprError:
        return
    for value in (0, -1.5, 1e300, 123456789, True, "", "text", None, math.inf, 10**40, np.float32(0.1)):
        assert isinstance(template.render({"n": value}), str)


def test_frozen_and_equal_by_text() -> None:
    template = Template.parse("{n}")
    assert template == Template.parse("{n}") != Template.parse("{m}")
    assert pickle.loads(pickle.dumps(template)).render({"n": 1}) == "1"
    assert str(template) == "{n}"
    with pytest.raises(AttributeError):
        template.text = "x"
