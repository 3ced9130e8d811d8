"""``confusion``: what was there against what was found, for pictures that lie in a folder for each class."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from html import escape
from pathlib import Path

from pydantic import Field

from visionkit.data import Labels, Packet
from visionkit.errors import SinkError
from visionkit.expr import Template
from visionkit.frozen import Frozen
from visionkit.media.sinks import paths
from visionkit.media.sinks.rows import results_of, to_json
from visionkit.media.sinks.spool import SpoolSink, lines
from visionkit.media.sinks.tables import TableParams
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import SourceInfo

NOTHING = "(nothing)"
"""What stands for a classification without a class, such as one below ``min_score``."""
CELL = 34


class ConfusionParams(TableParams):
    path: paths.SourcePath = Field(
        Template.parse("confusion.csv"), description="The matrix, below the output folder: .csv, or .svg to look at."
    )
    truth: paths.SourcePath = Field(
        Template.parse("{source.folder}"), description="The true class of a picture; of a path its last part counts."
    )


class Confusion(Frozen):
    """Counts of (true class, found class).

    Attributes:
        counts: pairs that occurred.
    """

    counts: Counter[tuple[str, str]]

    @property
    def names(self) -> list[str]:
        """True classes first, then those that were only found, each part sorted."""
        truth, found = {t for t, _ in self.counts}, {f for _, f in self.counts}
        return [*sorted(truth), *sorted(found - truth)]

    @property
    def accuracy(self) -> float:
        """The share of pictures whose class was found."""
        return sum(n for (t, f), n in self.counts.items() if t == f) / max(1, self.counts.total())

    def recall(self, name: str) -> float | None:
        """Of the pictures of a class, the share that was found; None if there are none."""
        return _share(self.counts[name, name], sum(n for (t, _), n in self.counts.items() if t == name))

    def precision(self, name: str) -> float | None:
        """Of the pictures that were given a class, the share that is of it; None if there are none."""
        return _share(self.counts[name, name], sum(n for (_, f), n in self.counts.items() if f == name))


class ConfusionSink(SpoolSink[ConfusionParams]):
    """A row for every true class, a column for every class that was found, and how many pictures met there.

    The first classification of a picture counts, by its best class. The last column is the recall of a class, the last
    row its precision; the run's summary says the accuracy.
    """

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        super().check(context, sources)
        if self.final.suffix not in WRITERS:
            raise SinkError(f"confusion: {self.final.name!r} is neither .csv nor .svg")

    def open(self, context: SinkContext) -> None:
        self._report = context.report
        super().open(context)

    def text(self, packet: Packet, source: SourceInfo) -> str:
        truth = paths.rendered(self.params.truth, source).rpartition("/")[2]
        for _, value in results_of(packet, self._names):
            if isinstance(value, Labels):
                return to_json({"truth": truth, "found": value.class_name or NOTHING}) + "\n"
        return ""

    def assemble(self, rows: Path, target: Path) -> None:
        matrix = Confusion(Counter((row["truth"], row["found"]) for row in lines(rows)))
        WRITERS[self.final.suffix](matrix, target)
        self._report(f"accuracy {matrix.accuracy:.4f} over {matrix.counts.total()} pictures")


def write_csv(matrix: Confusion, target: Path) -> None:
    """``truth``, the classes, ``recall``; the last row is ``precision``."""
    names = matrix.names
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["truth", *names, "recall"])
        for truth in names:
            table.writerow([truth, *(matrix.counts[truth, found] for found in names), _plain(matrix.recall(truth))])
        table.writerow(["precision", *(_plain(matrix.precision(name)) for name in names), f"{matrix.accuracy:.4f}"])


def write_svg(matrix: Confusion, target: Path) -> None:
    """The matrix as a picture: the darker, the larger the share of its row."""
    names = matrix.names
    left, top = 24 + 8 * max(map(len, names), default=0), 20 + 6 * max(map(len, names), default=0)
    width, height = max(330, left + CELL * len(names) + 60), top + CELL * len(names) + 64
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="#fff"/>'
    ]
    for row, truth in enumerate(names):
        y = top + CELL * row
        total = sum(matrix.counts[truth, found] for found in names)
        parts.append(f'<text x="{left - 8}" y="{y + 21}" text-anchor="end">{escape(truth)}</text>')
        for column, found in enumerate(names):
            parts.append(_cell(left + CELL * column, y, matrix.counts[truth, found], total, truth, found))
        recall = matrix.recall(truth)
        if recall is not None:
            parts.append(f'<text x="{left + CELL * len(names) + 8}" y="{y + 21}" fill="#555">{recall:.0%}</text>')
    for column, found in enumerate(names):
        x = left + CELL * column + 20
        parts.append(f'<text transform="translate({x} {top - 8}) rotate(-50)">{escape(found)}</text>')
    feet = (f"accuracy {matrix.accuracy:.1%} of {matrix.counts.total()}", "rows: truth, columns: found, right: recall")
    parts += [f'<text x="12" y="{height - 34 + 18 * i}" fill="#555">{foot}</text>' for i, foot in enumerate(feet)]
    parts.append("</svg>\n")
    target.write_text("\n".join(parts), "utf-8")


def _cell(x: int, y: int, count: int, total: int, truth: str, found: str) -> str:
    share = count / total if total else 0.0
    color = "#1b7837" if truth == found else "#b2182b"
    ink = "#fff" if share > 0.5 else "#222"
    title = escape(f"{truth} → {found}: {count}")
    label = f'<text x="{x + CELL // 2}" y="{y + 21}" text-anchor="middle" fill="{ink}">{count}</text>' if count else ""
    place = f'x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}"'
    ground = f'<rect {place} fill="#f4f4f4"/><rect {place} fill="{color}" opacity="{share:.3f}"/>'
    return f"<g><title>{title}</title>{ground}{label}</g>"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


WRITERS = {".csv": write_csv, ".svg": write_svg}
