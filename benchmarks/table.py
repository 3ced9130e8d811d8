"""Tables of results, as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks.timing import FEWEST, Figure


@dataclass(frozen=True)
class Row:
    """One measured thing.

    Attributes:
        name: what was measured.
        figure: median and interval.
        unit: "µs", "ms", "s", "MB", "×".
        least, most: what was expected of it, where something was.
        note: how to read it.
    """

    name: str
    figure: Figure
    unit: str
    least: float | None = None
    most: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Either "yes" or "no"; "unclear" where the expectation lies inside the interval; empty where there is none."""
        if self.least is None and self.most is None:
            return ""
        low, high = self.figure.low, self.figure.high
        if (self.least is not None and high < self.least) or (self.most is not None and low > self.most):
            return "no"
        if (self.least is not None and low < self.least) or (self.most is not None and high > self.most):
            return "unclear"
        return "yes"

    @property
    def expected(self) -> str:
        """What was expected, in words."""
        if self.least is not None:
            return f"≥ {self.least:g} {self.unit}"
        return "" if self.most is None else f"≤ {self.most:g} {self.unit}"


@dataclass
class Table:
    """The results of one suite."""

    suite: str
    about: str
    rounds: int
    machine: dict[str, str] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self,
        name: str,
        figure: Figure,
        unit: str,
        *,
        least: float | None = None,
        most: float | None = None,
        note: str = "",
    ) -> None:
        """Append a :class:`Row`."""
        self.rows.append(Row(name, figure, unit, least, most, note))

    def markdown(self) -> str:
        """The table and what is to be known about it."""
        lines = [f"# {self.suite}", "", self.about, ""]
        bracket = "the interval that holds the median with 95 %" if self.rounds >= FEWEST else "all that was seen"
        lines += [f"Medians of {self.rounds} runs in turn; in brackets {bracket}.", ""]
        lines += ["| what | median | interval | expected | reached | |", "| --- | ---: | ---: | ---: | --- | --- |"]
        for row in self.rows:
            value, low, high = (_number(x) for x in (row.figure.value, row.figure.low, row.figure.high))
            lines.append(
                f"| {row.name} | {value} {row.unit} | [{low}, {high}] | {row.expected} | {row.verdict} | {row.note} |"
            )
        lines += ["", *(f"- {note}" for note in self.notes), ""] if self.notes else [""]
        lines += [", ".join(f"{key} {value}" for key, value in self.machine.items()) + ".", ""]
        return "\n".join(lines)

    def write(self, folder: Path) -> list[Path]:
        """``<suite>.md`` and ``<suite>.json`` in ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        data = {**asdict(self), "rows": [{**asdict(row), "verdict": row.verdict} for row in self.rows]}
        paths = [folder / f"{self.suite}.md", folder / f"{self.suite}.json"]
        paths[0].write_text(self.markdown(), "utf-8")
        paths[1].write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return paths


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{digits}f}"
