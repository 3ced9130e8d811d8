"""What expressions mean, row by row of a table."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from visionkit.expr import ExprError, Expression, Scope

NAN = float("nan")
SCALARS = [
    ("1 + 2 * 3", 7),
    ("-2 ** 2", -4),
    ("2 ** -1", 0.5),
    ("(2 ** 3) ** 2", 64),
    ("7 // 2", 3),
    ("-7 // 2", -4),
    ("-7 % 3", 2),
    ("10 - 4 - 3", 3),
    ("1e3 + .5", 1000.5),
    ("n / 8", 0.5),
    ("n == 4.0", True),
    ("1 < n <= 4 < 9", True),
    ("1 < n < 3", False),
    ("not n > 5 and flag", True),
    ("true or false and false", True),
    ("not (true or false)", False),
    ("flag == true", True),
    ("n in [1, 4]", True),
    ("n not in (1, 4,)", False),
    ("n in [-4]", False),
    ("flag in [true]", True),
    ("name == 'Ada'", True),
    ('name < "Bob"', True),
    ("name in ['Ada', \"Bob\"]", True),
    ("'big' if n > 3 else 'small'", "big"),
    ("1 if false else 2 if false else 3", 3),
    ("1 if false or true else 2", 1),
    ("(1 if flag else 2) if flag else 3", 1),
    ("0 + 1 if flag else 2", 1),
    ("not 'a' in ['b']", True),
    ("- 2 * - 3", 6),
    ("2 * 3 % 4", 2),
    ("'(' == \"(\"", True),
    ("abs(-3)", 3),
    ("min(3, n, 5)", 3),
    ("max(3, n, 5)", 5),
    ("round(2.5)", 2),
    ("round(3.14159, 2)", 3.14),
    ("sqrt(n)", 2),
    ("hypot(3, 4)", 5),
    ("len(name)", 3),
    ("lower(name)", "ada"),
    ("upper(name)", "ADA"),
    ("startswith(name, 'A')", True),
    ("endswith(name, 'A')", False),
    ("contains(name, 'd')", True),
    ("cars.count > faces.count", True),
    ("  n\n  > 3  ", True),
    ("null", None),
    ("None is null", True),
]

NULLS = [
    ("nothing > 3", False),
    ("nothing == 3", False),
    ("nothing != 3", False),
    ("nothing == nothing", False),
    ("not nothing == 3", True),
    ("nothing in [1]", False),
    ("nothing not in [1]", False),
    ("nothing + 1", None),
    ("-nothing", None),
    ("min(nothing, 1)", None),
    ("1 ** nothing", None),
    ("nothing ** 0", None),
    ("cars.width ** 0", [1, None, 1]),
    ("nothing is null", True),
    ("nothing is not None", False),
    ("n is not null", True),
    ("1 / 0", None),
    ("0 // 0", None),
    ("5 % 0", None),
    ("sqrt(-1)", None),
    ("(0 - 8) ** 0.5", None),
    ("10 ** 64 * 10 ** 64 * 10 ** 64 * 10 ** 64 * 10 ** 64", None),
    ("0 ** -1", None),
    ("nothing if nothing > 1 else 2", 2),
    ("cars.width", [10, None, 80]),
    ("cars.width > 5", [True, False, True]),
    ("cars.width != 10", [False, False, True]),
    ("not cars.width != 10", [True, True, False]),
    ("cars.width + 1", [11, None, 81]),
    ("cars.width > nothing", [False, False, False]),
    ("cars.width + nothing", [None, None, None]),
    ("cars.width is null", [False, True, False]),
    ("cars.class_name is not null", [True, False, True]),
    ("cars.class_name != 'car'", [False, False, True]),
    ("cars.class_name == 'car'", [True, False, False]),
    ("'car' != cars.class_name", [False, False, True]),
    ("cars.class_name < 'd'", [True, False, False]),
    ("cars.class_name in ['car', 'bus']", [True, False, False]),
    ("cars.class_name not in ['car', 'bus']", [False, False, True]),
    ("upper(cars.class_name)", ["CAR", None, "TRUCK"]),
    ("len(cars.class_name)", [3, None, 5]),
    ("contains(cars.class_name, 'r')", [True, False, True]),
    ("cars.class_name == cars.extra", [False, False, False]),
    ("cars.class_name != cars.extra", [True, False, True]),
]

COLUMNS = [
    ("cars.age * 2 - half", [1.5, 3.5, 5.5]),
    ("cars.age >= 2 and not cars.coasted", [False, True, True]),
    ("cars.coasted or n > 5", [True, False, False]),
    ("1 < cars.age < 3", [False, True, False]),
    ("cars.coasted == flag", [True, False, False]),
    ("cars.age in [1, 3]", [True, False, True]),
    ("cars.age if cars.coasted else 0", [1, 0, 0]),
    ("cars.width if flag else nothing", [10, None, 80]),
    ("null if flag else cars.age", [None, None, None]),
    ("cars.class_name if cars.coasted else 'old'", ["car", "old", "old"]),
    ("cars.coasted if flag else false", [True, False, False]),
    ("max(cars.age, 2)", [2, 2, 3]),
    ("round(cars.age / 2)", [0, 1, 2]),
    ("cars.plate.score >= 0.9", [False, True, False]),
    ("cars.plate.text", ["AB 12", "CD", None]),
    ("cars.age > mean(cars.age)", [False, False, True]),
]

AGGREGATES = [
    ("count(cars.age)", 3),
    ("count(cars.width)", 2),
    ("count(cars.class_name)", 2),
    ("count(cars.age > 1)", 2),
    ("count(cars.extra)", 2),
    ("any(cars.age > 2)", True),
    ("all(cars.age > 2)", False),
    ("all(cars.age > 0) and any(faces.score > 0.4)", True),
    ("sum(cars.width)", 90),
    ("mean(cars.width)", 45),
    ("highest(cars.width)", 80),
    ("lowest(cars.width)", 10),
    ("max(cars.width)", 80),
    ("min(cars.width)", 10),
    ("highest(cars.width) / highest(faces.score)", 160),
]


def plain(value: Any) -> Any:
    """A result as Python values, NaN as None."""
    items = value.tolist() if isinstance(value, np.ndarray) else [value]
    items = [None if item != item else item for item in items]
    return items if isinstance(value, np.ndarray) else items[0]


@pytest.mark.parametrize(("text", "expected"), SCALARS + NULLS + COLUMNS + AGGREGATES)
def test_value(text: str, expected: Any, scope: Scope, env: dict[str, Any]) -> None:
    expression = Expression.parse(text)
    assert expression.check_all(scope) == []
    value = plain(expression.evaluate(env))
    assert value == (pytest.approx(expected) if isinstance(expected, float) else expected)
    assert expression.check(scope).per_row == isinstance(expected, list)


def test_absent_record_is_null_in_every_row(env: dict[str, Any]) -> None:
    env["cars"] = None
    assert Expression.parse("cars.plate.score > 0.5").evaluate(env) is False
    assert Expression.parse("cars.plate.score").evaluate(env) is None
    assert Expression.parse("cars.width > 1").mask(env, 2).tolist() == [False, False]
    assert Expression.parse("cars.plate.text").evaluate_rows(env, 2).tolist() == [None, None]
    assert Expression.parse("count(cars.width)").evaluate(env) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("count(cars.width)", 0),
        ("sum(cars.width)", 0),
        ("any(cars.width > 1)", False),
        ("all(cars.width > 1)", True),
        ("mean(cars.width)", None),
        ("highest(cars.width)", None),
        ("cars.width + 1", []),
        ("cars.class_name == 'car'", []),
        ("upper(cars.class_name)", []),
        ("cars.class_name if cars.width > 1 else 'x'", []),
    ],
)
def test_no_rows(text: str, expected: Any) -> None:
    class Empty:
        def field(self, name: str) -> Any:
            return np.zeros(0, dtype=object if name == "class_name" else np.float32)

    assert plain(Expression.parse(text).evaluate({"cars": Empty()})) == expected


def test_columns_come_in_many_types() -> None:
    expression = Expression.parse("x == 'ab'")
    for column in (np.array(["ab", "c"]), np.array(["ab", "c"], dtype=object), np.array(["ab", "c"], dtype="T")):
        assert expression.evaluate({"x": column}).tolist() == [True, False]
    for scalar in (3, 3.0, np.float32(3), np.int8(3), np.array(3), Fraction(3)):
        assert Expression.parse("x == 3").evaluate({"x": scalar}) is True
    assert Expression.parse("x > 1").evaluate({"x": 10**30}) is True
    assert Expression.parse("x > 1").evaluate({"x": 10**400}) is False
    assert Expression.parse("x == 'ab'").evaluate({"x": np.str_("ab")}) is True
    assert Expression.parse("x is null").evaluate({"x": np.float32("nan")}) is True


def test_no_warning_and_no_change_of_the_input() -> None:
    column = np.array([0.0, -1.0, 1e300])
    before = column.copy()
    for text in ("1 / x", "sqrt(x)", "x * x * x", "x ** 0.5", "x % 0", "0 - x // 0"):
        Expression.parse(text).evaluate({"x": column})
    np.testing.assert_array_equal(column, before)


def test_truth_is_not_one(env: dict[str, Any]) -> None:
    env["x"] = np.array([1, True, "1", 1.0, None], dtype=object)
    assert Expression.parse("x == 1").evaluate(env).tolist() == [True, False, False, True, False]
    assert Expression.parse("x in [1]").evaluate(env).tolist() == [True, False, False, True, False]
    assert Expression.parse("x in [true]").evaluate(env).tolist() == [False, True, False, False, False]
    assert Expression.parse("x != '1'").evaluate(env).tolist() == [True, True, False, True, False]


def test_nan_in_a_column_of_objects_is_null() -> None:
    env = {"x": np.array([NAN, 1, None], dtype=object)}
    assert Expression.parse("x is null").evaluate(env).tolist() == [True, False, True]
    assert Expression.parse("x not in [2]").evaluate(env).tolist() == [False, True, False]
    assert Expression.parse("x != 'a'").evaluate(env).tolist() == [False, True, False]
    assert plain(Expression.parse("x + 1").evaluate(env)) == [None, 2, None]


def test_conditions() -> None:
    assert Expression.parse("x > 1").holds({"x": 2}) is True
    assert Expression.parse("x").holds({"x": None}) is False
    with pytest.raises(ExprError, match="one result per row"):
        Expression.parse("x > 1").holds({"x": np.array([2.0])})
    with pytest.raises(ExprError, match="needs true or false, got a number"):
        Expression.parse("x").holds({"x": 3})
    assert Expression.parse("x").mask({"x": np.array([True, None], dtype=object)}, 2).tolist() == [True, False]
    assert Expression.parse("x > 1").mask({"x": 2}, 3).tolist() == [True] * 3
    with pytest.raises(ExprError, match="2 and 3 rows"):
        Expression.parse("x > 1").mask({"x": np.zeros(2)}, 3)


@pytest.mark.parametrize(
    ("text", "value", "code", "message"),
    [
        ("x > 1", "a", "VK153", "cannot order a number and a text|cannot order a text and a number"),
        ("x + 1", "a", "VK153", "needs a number, got a text"),
        ("x + 1", True, "VK153", "needs a number, got true or false"),
        ("x and true", 1, "VK153", "needs true or false, got a number"),
        ("upper(x)", 1, "VK153", "needs a text, got a number"),
        ("x + 1", np.array([1, "a"], dtype=object), "VK153", "got a number and a text"),
        ("x + 1", np.zeros((2, 2)), "VK153", r"shape \(2, 2\)"),
        ("x + 1", np.longdouble(1), "VK153", "no column"),
        ("x + 1", np.array([1], dtype=np.longdouble), "VK153", "no column"),
        ("x + 1", np.array({}, dtype=object), "VK153", "no column"),
        ("x + 1", np.array([{}], dtype=object), "VK153", "type dict is neither"),
        ("x + 1", np.complex64(1), "VK153", "no column"),
        ("x + 1", np.array(["2020-01-01"], dtype="datetime64[D]"), "VK153", "no column"),
        ("x + 1", {"a": 1}, "VK153", "type dict is neither"),
        ("x.y", 1, "VK152", "type int has no column"),
        ("y", 1, "VK151", "no value named 'y'"),
        ("x + z.a", np.zeros(3), "VK153", "columns of 2 and 3 rows"),
        ("x > 0 and z.a > 0", np.zeros(3), "VK153", "columns of 2 and 3 rows"),
        ("z.b", 1, "VK152", "no column 'b'"),
    ],
)
def test_values_that_are_not_what_was_promised(text: str, value: Any, code: str, message: str) -> None:
    class Two:
        def field(self, name: str) -> Any:
            return {"a": np.zeros(2)}[name]

    with pytest.raises(ExprError, match=message) as caught:
        Expression.parse(text).evaluate({"x": value, "z": Two()})
    assert caught.value.code == code
    assert 0 <= caught.value.offset <= len(text)


def test_names() -> None:
    expression = Expression.parse("car.plate.score > 0.9 or count(cars.width > n) > 1")
    assert expression.names == {"car.plate.score", "cars.width", "n"}
