"""The functions an expression may call. Nothing else is callable."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from visionkit.expr import values as v
from visionkit.expr.types import Kind
from visionkit.frozen import Frozen
from visionkit.lazy import np

Run = Callable[[Sequence[v.Value], int], v.Value]


class Function(Frozen):
    """``takes`` is the kind of each argument (the last repeats if ``variadic``); ``run(values, offset)`` computes it.

    An aggregate turns a column into one scalar and skips nulls; everything else goes row by row. Of no rows, count
    and sum are 0, any is false, all is true, and mean, highest and lowest are null. A scalar is a column of one row.
    """

    name: str
    usage: str
    takes: tuple[Kind, ...]
    gives: Kind
    run: Run
    variadic: bool = False
    optional: int = 0
    aggregate: bool = False
    of_one: str = ""
    """The aggregate that is meant when there is only one argument: max(x) is highest(x)."""

    @property
    def counts(self) -> str:
        least, most = len(self.takes) - self.optional, len(self.takes)
        if self.variadic:
            return f"at least {least} argument{'s' * (least > 1)}"
        return f"{least} to {most} arguments" if self.optional else f"{most} argument{'s' * (most > 1)}"

    def accepts(self, count: int) -> bool:
        least = len(self.takes) - self.optional
        return (count == 1 and bool(self.of_one)) or (count >= least and (self.variadic or count <= len(self.takes)))

    def name_for(self, count: int) -> str:
        return self.of_one if self.of_one and count == 1 else self.name

    def kind_of_argument(self, index: int) -> Kind:
        return self.takes[min(index, len(self.takes) - 1)]


def _math(name: str) -> Run:
    return lambda values, offset: v.finite(lambda *arrays: getattr(np, name)(*arrays), values, offset)


def _extreme(name: str) -> Run:
    def run(values: Sequence[v.Value], offset: int) -> v.Value:
        result = values[0]
        for value in values[1:]:
            result = v.finite(lambda a, b: getattr(np, name)(a, b), [result, value], offset)
        return result

    return run


def _round(values: Sequence[v.Value], offset: int) -> v.Value:
    digits = 0 if len(values) == 1 else int(values[1])
    return v.finite(lambda array: np.round(array, digits), values[:1], offset)


def _text(function: Callable[[str], str]) -> Run:
    def run(values: Sequence[v.Value], offset: int) -> v.Value:
        result = v.each(function, values, offset)
        return v.objects(result) if isinstance(result, list) else result

    return run


def _test(function: Callable[[str, str], bool]) -> Run:
    def run(values: Sequence[v.Value], offset: int) -> v.Value:
        result = v.each(function, values, offset, null=False)
        return np.array(result, dtype=bool) if isinstance(result, list) else result

    return run


def _length(values: Sequence[v.Value], offset: int) -> v.Value:
    result = v.each(len, values, offset)
    if isinstance(result, list):
        return np.array([np.nan if n is None else n for n in result], dtype=np.float64)
    return result


def _count(values: Sequence[v.Value], _: int) -> v.Value:
    value = values[0]
    if v.kind_of(value) is Kind.BOOL:
        return int(np.count_nonzero(value))
    items = v.rows(value, 1)
    return sum(item is not None and item is not False for item in items)


def _quantifier(name: str) -> Run:
    return lambda values, offset: bool(getattr(np, name)(v.flags(values[0], offset)))


def _aggregate(name: str, empty: float | None) -> Run:
    def run(values: Sequence[v.Value], offset: int) -> v.Value:
        column = np.atleast_1d(v.numbers(values[0], offset))
        known = column[~np.isnan(column)]
        return v.finite(getattr(np, name), [known], offset) if len(known) else empty

    return run


_least, _most = _extreme("minimum"), _extreme("maximum")
_N, _B, _T, _ANY = Kind.NUMBER, Kind.BOOL, Kind.TEXT, Kind.ANY

FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("abs", "abs(x): without its sign", (_N,), _N, _math("abs")),
        Function(
            "min", "min(a, b, ...): the least; min(x): lowest(x)", (_N, _N), _N, _least, variadic=True, of_one="lowest"
        ),
        Function(
            "max", "max(a, b, ...): the most; max(x): highest(x)", (_N, _N), _N, _most, variadic=True, of_one="highest"
        ),
        Function("round", "round(x), round(x, digits): ties to even", (_N, _N), _N, _round, optional=1),
        Function("sqrt", "sqrt(x): the square root, null below 0", (_N,), _N, _math("sqrt")),
        Function("hypot", "hypot(a, b): the length of (a, b)", (_N, _N), _N, _math("hypot")),
        Function("len", "len(text): its characters", (_T,), _N, _length),
        Function("lower", "lower(text): in lower case", (_T,), _T, _text(str.lower)),
        Function("upper", "upper(text): in upper case", (_T,), _T, _text(str.upper)),
        Function("startswith", "startswith(text, part)", (_T, _T), _B, _test(str.startswith)),
        Function("endswith", "endswith(text, part)", (_T, _T), _B, _test(str.endswith)),
        Function("contains", "contains(text, part)", (_T, _T), _B, _test(lambda text, part: part in text)),
        Function("count", "count(x): how many rows are true, or not null", (_ANY,), _N, _count, aggregate=True),
        Function("any", "any(x): whether some row is true", (_B,), _B, _quantifier("any"), aggregate=True),
        Function("all", "all(x): whether every row is true", (_B,), _B, _quantifier("all"), aggregate=True),
        Function("sum", "sum(x): of all rows", (_N,), _N, _aggregate("sum", 0.0), aggregate=True),
        Function("mean", "mean(x): of all rows", (_N,), _N, _aggregate("mean", None), aggregate=True),
        Function("highest", "highest(x): of all rows", (_N,), _N, _aggregate("max", None), aggregate=True),
        Function("lowest", "lowest(x): of all rows", (_N,), _N, _aggregate("min", None), aggregate=True),
    )
}

REDUCERS = {
    "vote": "vote(x, window=5): the value with the highest summed score over the last readings, ties to the latest",
    "best": "best(x): the reading with the highest score, ties to the latest",
    "last": "last(x): the latest reading",
    "mean": "mean(x): the mean of a number",
}
"""What only ``set:`` may call, outermost."""
