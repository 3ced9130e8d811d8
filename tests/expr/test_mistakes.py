"""Every mistake has a code, a place and a next step; all of them at once."""

from __future__ import annotations

import pickle

import pytest

from visionkit.errors import VisionkitError
from visionkit.expr import ExprError, Expression, Kind, Scope
from visionkit.expr.functions import FUNCTIONS
from visionkit.expr.parser import MAX_NESTING, MAX_OPERATORS
from visionkit.expr.tokens import MAX_LENGTH

# The caret under each text points at the offset.
SYNTAX = [
    ("", "^", "is empty", "cars.count > 3"),
    ("   ", "   ^", "is empty", "cars.count > 3"),
    ("n = 3", "  ^", "found '='", "write =="),
    ("n := 3", "  ^", "':' has no meaning", "if condition else"),
    ("n && m", "  ^", "'&' has no meaning", "write and"),
    ("n || m", "  ^", "'|' has no meaning", "write or"),
    ("!n", "^", "'!' has no meaning", "write not"),
    ("n ? 1 : 2", "  ^", "'?' has no meaning", "a if condition else b"),
    ("{n}", "^", "'{' has no meaning", "braces belong to templates"),
    ("$n > 3", "^", "'$' has no meaning", "variable"),
    ("n >", "   ^", "ends where a value", "complete it"),
    ("n > > 3", "    ^", "found '>' where a value", "operator"),
    ("> 3", "^", "found '>' where a value", "start with"),
    ("and n", "^", "found 'and' where a value", "start with"),
    ("n 3", "  ^", "found '3' where an operator", "join conditions"),
    ("(n > 3", "      ^", "ends where ) to close", "complete it"),
    ("n > 3)", "     ^", "found ')'", "operator"),
    ("n > 40%", "       ^", "ends where a value", "complete it"),
    ("n > 40% and m", "        ^", "found 'and'", "0.40"),
    ("3px > n", " ^", "found 'px'", "neither a number nor a name"),
    ("0x10", " ^", "found 'x10'", "neither a number nor a name"),
    ("1_000", " ^", "found '_000'", "neither a number nor a name"),
    ("name == Ada Lovelace", "            ^", "found 'Lovelace'", "put quotes around a text"),
    ("name == 'Ada", "        ^", "no closing '", "close it"),
    ("name == 'A\\n'", "          ^", "backslash", "one kind of quote"),
    ("name == f'A'", "         ^", "found \"'A'\"", "no prefix"),
    ("name == b'A'", "         ^", "found \"'A'\"", "no prefix"),
    ("x[0]", " ^", "found '['", "highest(x)"),
    ("(x).y", "   ^", "found '.'", "operator"),
    ("'a'.upper()", "   ^", "found '.'", "operator"),
    ("[1, 2]", "^", "found '['", "rows cannot be picked"),
    ("lambda: 1", "      ^", "':' has no meaning", "if condition"),
    ("lambda", "^", "found 'lambda'", "functions cannot be defined"),
    ("any(x for x in y)", "      ^", "found 'for'", "all(...)"),
    ("min(*x)", "    ^", "found '*'", "operator"),
    ("name.upper()", "     ^", "called as a method", "write upper(name)"),
    ("name.pop()", "     ^", "called as a method", "functions: abs"),
    ("eval('1')", "^", "no function 'eval'", "functions: abs"),
    ("summ(x)", "^", "no function 'summ'", "did you mean 'sum'?"),
    ("__import__('os')", "^", "no name starts with _", "column"),
    ("n.__class__", "  ^", "no name starts with _", "column"),
    ("vote(x) > 1", "^", "remembers over time", "vote(x, window=5)"),
    ("sqrt()", "^", "takes 1 argument, got 0", "sqrt(x)"),
    ("sqrt(1, 2)", "^", "takes 1 argument, got 2", "sqrt(x)"),
    ("round(1, 2, 3)", "^", "takes 1 to 2 arguments, got 3", "round(x"),
    ("min()", "^", "takes at least 2 arguments, got 0", "min(a, b"),
    ("round(n, n)", "         ^", "whole number from 0 to 15", "round(x"),
    ("round(n, 1.5)", "         ^", "whole number from 0 to 15", "round(x"),
    ("round(n, true)", "         ^", "whole number from 0 to 15", "round(x"),
    ("min(1, 2", "        ^", "ends where ) or a comma", "complete it"),
    ("min(, 2)", "    ^", "found ','", "commas stand between"),
    ("n in 'abc'", "     ^", "in takes a list", "contains(text, part)"),
    ("n in x", "     ^", "in takes a list", "contains(text, part)"),
    ("n in []", "      ^", "found ']' where a value", "operator"),
    ("n in [x]", "      ^", "a list holds only", "quotes"),
    ("n in [null]", "      ^", "a list holds only", "x is null"),
    ("n in [1] == true", "         ^", "cannot follow another comparison", "and"),
    ("n is null == true", "          ^", "cannot follow another comparison", "and"),
    ("1 < n is null", "      ^", "cannot follow another comparison", "and"),
    ("n is 3", "     ^", "found '3' where null after is", "join"),
    ("n not 3", "      ^", "found '3' where in after not", "join"),
    ("1 + not n", "    ^", "not binds less", "(not x)"),
    ("+n", "^", "+ stands between", "leave it out"),
    ("n if m", "      ^", "ends where else", "complete"),
    ("2 ** 3 ** 4", "       ^", "cannot be chained", "parentheses"),
    ("2 ** 65", "     ^", "at most 64", "smaller"),
    ("90071992547409930", "^", "too big a number", "2 ** 53"),
    ("1e999", "^", "too big a number", "2 ** 53"),
    ("a.", "  ^", "ends where a column", "complete"),
    ("a.3", " ^", "found '.3'", "join"),
    ("a..b", "  ^", "found '.' where a column", "operator"),
    ("n > 3; m", "     ^", "';' has no meaning", "one expression"),
    ("n > 3 # m", "      ^", "'#' has no meaning", "quotes"),
    ("n\u00a0> 3", " ^", "'\\xa0' has no meaning", "quotes"),
    ("\ud800", "^", "'\\ud800' has no meaning", "quotes"),
    ("n\0", " ^", "'\\x00' has no meaning", "quotes"),
    ("„n“", "^", "'„' has no meaning", "quotes"),
    ("größe >", "       ^", "ends where", "complete"),
]


@pytest.mark.parametrize(("text", "caret", "message", "help"), SYNTAX)
def test_syntax(text: str, caret: str, message: str, help: str) -> None:
    with pytest.raises(ExprError) as caught:
        Expression.parse(text)
    error = caught.value
    assert error.code == "VK150"
    assert error.offset == len(caret) - 1, f"\n{text}\n{' ' * error.offset}^ {error}"
    assert message in error.message
    assert help in error.help


KINDS = [
    ("crs.width > 3", "VK151", "^", "no value named 'crs'", "did you mean 'cars'?\nnames here: cars"),
    ("count > 3", "VK151", "^", "no value named 'count'", "count(x)"),
    (
        "cars.wdth > 3",
        "VK152",
        "     ^",
        "cars (detections) has no column 'wdth'",
        "did you mean 'width'?\ncolumns of cars: age",
    ),
    ("cars . plate . txt is null", "VK152", "               ^", "cars.plate (text) has no column 'txt'", "score, text"),
    ("n.width > 3", "VK152", "  ^", "n is a number and has no columns", "write n alone"),
    ("cars.width.x > 3", "VK152", "           ^", "cars.width is a number per row", "write cars.width alone"),
    ("cars > 3", "VK153", "^", "stands for detections", "cars.width"),
    ("cars.plate is null", "VK153", "^", "stands for text", "cars.plate.text"),
    ("name + 1", "VK153", "^", "+ needs a number, got a text", "template"),
    ("1 + flag", "VK153", "    ^", "+ needs a number, got true or false", "count(...)"),
    ("-name", "VK153", " ^", "- needs a number", "quotes"),
    ("n and flag", "VK153", "^", "and needs true or false, got a number", "x > 0"),
    ("flag or name", "VK153", "        ^", "or needs true or false, got a text", '"car"'),
    ("not n", "VK153", "    ^", "not needs true or false", "x > 0"),
    ("1 if n else 2", "VK153", "     ^", "if needs true or false", "x > 0"),
    ("n > 'a'", "VK153", "  ^", "> compares a number with a text", "quotes"),
    ("1 < n < 'a'", "VK153", "      ^", "< compares a number with a text", "quotes"),
    ("n == true", "VK153", "  ^", "== compares a number with true or false", "one kind"),
    ("flag > false", "VK153", "     ^", "cannot order", "and, or, not"),
    ("n == null", "VK153", "  ^", "always false", "x is null"),
    ("n != None", "VK153", "  ^", "always false", "x is not null"),
    ("n in [1, 'a']", "VK153", "         ^", "a number in a list that holds a text", "quotes"),
    ("1 if flag else 'a'", "VK153", "  ^", "gives a number or a text", "one kind"),
    ("sqrt(name)", "VK153", "     ^", "sqrt() needs a number, got a text", "quotes"),
    ("len(n)", "VK153", "    ^", "len() needs a text, got a number", "quotes"),
    ("count(n)", "VK153", "      ^", "count() needs a column, got a single value", "one value per object"),
    ("max(n)", "VK153", "    ^", "needs a column", "highest(x)"),
    ("any(n)", "VK153", "    ^", "any() needs true or false, got a number", "x > 0"),
    ("any(cars.width)", "VK153", "    ^", "any() needs true or false, got a number", "x > 0"),
    ("cars.width > faces.score", "VK153", "           ^", "rows of cars and of faces", "highest(...)"),
    ("sum(cars.width * faces.score)", "VK153", "               ^", "rows of cars and of faces", "highest(...)"),
]


@pytest.mark.parametrize(("text", "code", "caret", "message", "help"), KINDS)
def test_kinds(text: str, code: str, caret: str, message: str, help: str, scope: Scope) -> None:
    problems = Expression.parse(text).check_all(scope)
    assert len(problems) == 1, problems
    assert problems[0].code == code
    assert problems[0].offset == len(caret) - 1, f"\n{text}\n{' ' * problems[0].offset}^ {problems[0]}"
    assert message in problems[0].message
    assert help in problems[0].help
    with pytest.raises(ExprError) as caught:
        Expression.parse(text).check(scope)
    assert str(caught.value) == str(problems[0])


def test_all_at_once_in_the_order_of_the_text(scope: Scope) -> None:
    text = "crs.width > 3 and n + name > 2 and cars.wdth in ['a'] or n"
    problems = Expression.parse(text).check_all(scope)
    assert [(problem.code, problem.offset) for problem in problems] == [
        ("VK151", 0),
        ("VK153", text.index("name")),
        ("VK152", text.index("wdth")),
        ("VK153", len(text) - 1),
    ]


def test_unknown_kinds_are_trusted(scope: Scope) -> None:
    for text in ("cars.extra > 3", "cars.extra + 1 > 2", "upper(cars.extra) == 'A'", "cars.extra and flag"):
        assert Expression.parse(text).check_all(scope) == []


def test_expected_kind(scope: Scope) -> None:
    assert Expression.parse("n > 3").check_all(scope, expect=Kind.BOOL) == []
    assert Expression.parse("cars.extra").check_all(scope, expect=Kind.BOOL) == []
    (problem,) = Expression.parse("n + 3").check_all(scope, expect=Kind.BOOL)
    assert problem.message == "must be true or false, but is a number"
    (problem,) = Expression.parse("crs").check_all(scope, expect=Kind.BOOL)
    assert problem.code == "VK151"


def test_size() -> None:
    fits = " and ".join(["a"] * (MAX_OPERATORS + 1))
    assert len(Expression.parse(fits).names) == 1
    Expression.parse("a in [" + ", ".join(f"'class {i}'" for i in range(80)) + "]")
    for text, at in (
        (f"{fits} and a", len(fits) + 1),
        ("(" * (MAX_NESTING + 1) + "1", MAX_NESTING),
        ("-" * (MAX_NESTING + 1) + "1", MAX_NESTING),
        ("a" * (MAX_LENGTH + 1), MAX_LENGTH),
    ):
        with pytest.raises(ExprError) as caught:
            Expression.parse(text)
        assert (caught.value.code, caught.value.offset) == ("VK154", at)
        assert caught.value.help


def test_the_functions_there_are() -> None:
    """A snapshot: adding one is a decision."""
    assert sorted(FUNCTIONS) == [
        "abs", "all", "any", "contains", "count", "endswith", "highest", "hypot", "len", "lower", "lowest",
        "max", "mean", "min", "round", "sqrt", "startswith", "sum", "upper",
    ]  # fmt: skip
    assert all(function.usage.startswith(f"{name}(") for name, function in FUNCTIONS.items())


def test_the_error_itself() -> None:
    with pytest.raises(VisionkitError) as caught:
        Expression.parse("n = 3")
    assert isinstance(caught.value, ValueError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.code, copy.offset, str(copy)) == ("VK150", 2, str(caught.value))


def test_frozen_and_equal_by_text() -> None:
    expression = Expression.parse("n > 3")
    assert expression == Expression.parse("n > 3") != Expression.parse("n > 4")
    assert hash(expression) == hash(Expression.parse("n > 3"))
    assert str(expression) == "n > 3"
    assert repr(expression) == "Expression.parse('n > 3')"
    assert pickle.loads(pickle.dumps(expression)).evaluate({"n": 5}) is True
    with pytest.raises(AttributeError):
        expression.text = "n"
