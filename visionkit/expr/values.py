"""Values at run time, and what operators do to them.

A value is a scalar (``float``, ``int``, ``bool``, ``str`` or None) or a column, a NumPy array of shape (N,). Null is
None in a scalar and in a text column, NaN in a number column. A number whose result is not finite is null, so
that dividing by zero or taking the root of -1 is no error. All arithmetic is float64, of scalars as of columns.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from visionkit.expr.errors import KIND, fail
from visionkit.expr.types import Kind
from visionkit.lazy import np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = NDArray[Any]

Value = Any
_KINDS = {bool: Kind.BOOL, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT, type(None): None}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": lambda base, exponent: np.where(np.isnan(base + exponent), np.nan, base**exponent),  # not 1 ** NaN = 1
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def normal(value: Any, offset: int = 0) -> Value:
    """``value`` as a scalar or a column, whatever it came as (NumPy scalars, fractions, fixed-width text, NaN).

    Raises:
        ExprError: it is neither.
    """
    if type(value) in _KINDS:
        if type(value) is int and value.bit_length() > 63:
            return _big(value)
        return value if value == value else None
    if isinstance(value, (str, Fraction)):
        return str(value) if isinstance(value, str) else _big(value)
    if not isinstance(value, (np.ndarray, np.generic)):
        message = f"a value of type {type(value).__name__} is neither a number, a text, true, false nor a column"
        fail(KIND, offset, message, "use one of its columns")
    if value.ndim == 0 and type(value.item()) in _KINDS:
        return normal(value.item(), offset)
    if value.ndim != 1 or value.dtype.kind not in "biufOUT" or value.dtype.char == "g":  # g: long double
        message = f"an array of shape {value.shape} and type {value.dtype} is no column"
        fail(KIND, offset, message, "a column has one number, text, true or false per row")
    return value.astype(object) if value.dtype.kind in "UT" else value


def _big(value: int | Fraction) -> float | None:
    """An exact number that no column could hold, as the nearest float; null beyond those."""
    try:
        return float(value)
    except OverflowError:
        return None


def is_column(value: Value) -> bool:
    """Whether ``value`` has one value per row."""
    return isinstance(value, np.ndarray)


def kind_of(value: Value) -> Kind | None:
    """The kind of a scalar or of a typed column; None for null, ANY for a column of objects."""
    if is_column(value):
        return {"b": Kind.BOOL, "O": Kind.ANY}.get(value.dtype.kind, Kind.NUMBER)
    return _KINDS[type(value)]


def length(values: Sequence[Value], offset: int) -> int | None:
    """The number of rows of the columns among ``values``; None when all are scalars.

    Raises:
        ExprError: the columns differ in length.
    """
    sizes = {len(value) for value in values if is_column(value)}
    if len(sizes) > 1:
        message = f"columns of {' and '.join(map(str, sorted(sizes)))} rows cannot be combined"
        fail(KIND, offset, message, "use columns of one value")
    return sizes.pop() if sizes else None


def rows(value: Value, count: int) -> list[Any]:
    """A column's values as Python scalars with None for null; a scalar is repeated ``count`` times."""
    if not is_column(value):
        return [value] * count
    items = value.tolist()
    return items if value.dtype.kind in "biu" else [normal(item) for item in items]


def objects(items: Sequence[Any]) -> Column:
    """A column of Python objects, shape (N,)."""
    column = np.empty(len(items), dtype=object)
    column[:] = items
    return column


def numbers(value: Value, offset: int) -> Column:
    """``value`` as float64, shape () or (N,), NaN for null.

    Raises:
        ExprError: it holds something else.
    """
    kind = kind_of(value)
    if kind is Kind.NUMBER:
        return np.asarray(value, dtype=np.float64)
    if kind is None:
        return np.asarray(np.nan)
    if kind is Kind.ANY:
        items = rows(value, 0)
        if all(kind_of(item) in (None, Kind.NUMBER) for item in items):
            return np.array([np.nan if item is None else item for item in items], dtype=np.float64)
    fail(KIND, offset, f"needs a number, got {_found(value)}", "use a column of numbers")


def flags(value: Value, offset: int) -> Any:
    """``value`` as a bool or a bool column; null is false.

    Raises:
        ExprError: it holds something else.
    """
    kind = kind_of(value)
    if kind is Kind.BOOL:
        return value
    if kind is None:
        return False
    if kind is Kind.ANY:
        items = rows(value, 0)
        if all(item is None or isinstance(item, bool) for item in items):
            return np.array([bool(item) for item in items], dtype=bool)
    fail(KIND, offset, f"needs true or false, got {_found(value)}", "compare it, as in: x > 0")


def inverted(value: Any) -> Any:
    """``not`` of a bool or a bool column."""
    return ~value if is_column(value) else not value


def finite(function: Callable[..., Any], values: Sequence[Value], offset: int) -> Value:
    """``function`` of ``values`` as float64 arrays; null where an operand is null or the result not finite."""
    length(values, offset)
    with np.errstate(all="ignore"):
        result = function(*(numbers(value, offset) for value in values))
    result = np.where(np.isfinite(result), result, np.nan)
    return result if result.ndim else normal(result.item())


def compare(name: str, left: Value, right: Value, offset: int) -> Any:
    """``left name right`` as bool or bool column; false where an operand is null."""
    kinds = kind_of(left), kind_of(right)
    count = length([left, right], offset)
    if None in kinds:
        return False if count is None else np.zeros(count, dtype=bool)
    if count is None:
        return _compare_scalars(name, left, right, offset)
    if kinds[0] is kinds[1] and kinds[0] in (Kind.NUMBER, Kind.BOOL):
        result = OPERATORS[name](np.asarray(left), np.asarray(right))
        return result & ~(is_null(left) | is_null(right)) if name == "!=" else result
    if name in ("==", "!=") and str in (type(left), type(right)):
        result = OPERATORS[name](left, right)  # a text equals only texts, so NumPy may compare whatever there is
        return result & ~(is_null(left) | is_null(right)) if name == "!=" else result
    pairs = zip(rows(left, count), rows(right, count), strict=True)
    return np.fromiter((_compare_scalars(name, a, b, offset) for a, b in pairs), dtype=bool, count=count)


def _compare_scalars(name: str, left: Value, right: Value, offset: int) -> bool:
    if left is None or right is None:
        return False
    if kind_of(left) is kind_of(right):
        return bool(OPERATORS[name](left, right))
    if name not in ("==", "!="):
        fail(KIND, offset, f"cannot order {_found(left)} and {_found(right)}", "compare values of one kind")
    return name == "!="


def is_null(value: Value) -> Any:
    """True where ``value`` is null: a bool, or a bool column."""
    if not is_column(value):
        return value is None
    if value.dtype.kind == "f":
        return np.isnan(value)
    if value.dtype.kind == "O":
        return np.equal(value, np.array(None)) | (value != value)
    return np.zeros(len(value), dtype=bool)


def distinct(value: Value) -> tuple[Value, bool]:
    """``value`` as an item of a set, where true must not be 1 as it is in Python."""
    return value, type(value) is bool


def member(value: Value, items: frozenset[tuple[Value, bool]], negated: bool) -> Any:
    """``value in items`` (or ``not in``), each as :func:`distinct` gives it; false where it is null."""
    if not is_column(value):
        return value is not None and (distinct(value) in items) != negated
    found = np.array([distinct(item) in items for item in rows(value, 0)], dtype=bool)
    return ~(found | is_null(value)) if negated else found


def choose(condition: Value, then: Value, otherwise: Value, offset: int) -> Value:
    """``then`` where ``condition`` is true, else ``otherwise``; a column if any of the three is one."""
    holds = flags(condition, offset)
    count = length([holds, then, otherwise], offset)
    if count is None:
        return then if holds else otherwise
    picks = zip(rows(holds, count), rows(then, count), rows(otherwise, count), strict=True)
    items = [a if take else b for take, a, b in picks]
    kinds = {kind_of(then), kind_of(otherwise)}
    if kinds <= {Kind.NUMBER, None}:
        return np.array([np.nan if item is None else item for item in items], dtype=np.float64)
    return np.array(items, dtype=bool) if kinds == {Kind.BOOL} else objects(items)


def each(function: Callable[..., Any], texts: Sequence[Value], offset: int, null: Any = None) -> Any:
    """``function`` of every row's texts, ``null`` where one of them is null: a scalar, or a list of N.

    Raises:
        ExprError: something else than text.
    """
    count = length(texts, offset)
    if count is None:
        return _of_texts(function, texts, offset, null)
    columns = zip(*(rows(text, count) for text in texts), strict=True)
    return [_of_texts(function, items, offset, null) for items in columns]


def _of_texts(function: Callable[..., Any], texts: Sequence[Value], offset: int, null: Any) -> Any:
    if None in texts:
        return null
    if wrong := [text for text in texts if not isinstance(text, str)]:
        fail(KIND, offset, f"needs a text, got {_found(wrong[0])}", "use a column of texts")
    return function(*texts)


def _found(value: Value) -> str:
    kinds = {kind_of(item) for item in rows(value, 1)}
    return " and ".join(sorted(kind.value for kind in kinds if kind)) or "null"
