"""The command: measures every family and writes one table."""

from __future__ import annotations

import argparse
import importlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, fields
from pathlib import Path

from benchmarks.accuracy.lab import ROOT, Finding, Lab
from benchmarks.machine import describe

Rows = dict[str, list[Finding]]
"""What was measured, by the module that did it."""

FAMILIES = (
    "detection",
    "precision",
    "own_nets",
    "classification",
    "text",
    "style",
    "tracking",
    "families",
    "overhead",
)
ABOUT = """# accuracy

Is it right? Each family on real pictures with real weights, beside its library called by hand with the same weights.
Made by `python -m benchmarks.accuracy --data FOLDER`; [docs/numbers.md](../../docs/numbers.md) says how to read it.
"""


def main() -> None:
    """Parse the command line, measure, write; what is not measured again stays in the table."""
    options = _options()
    lab, rows = Lab(options.data), _known(options.out / "accuracy.json")
    for family in options.families or FAMILIES:
        rows[family] = []
        for finding in importlib.import_module(f"benchmarks.accuracy.{family}").findings(lab):
            print(row(finding), flush=True)
            rows[family].append(finding)
        for path in write(rows, options.out):
            print(f"wrote {path}")


def _known(path: Path) -> Rows:
    """What an earlier run measured."""
    rows = json.loads(path.read_text("utf-8"))["rows"] if path.exists() else []
    known: Rows = {family: [] for family in FAMILIES}
    for one in rows:
        known[one["by"]].append(Finding(**{f.name: one[f.name] for f in fields(Finding)}))
    return known


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; all by default")
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "benchmarks" / "results", help="where the table goes")
    data = Path(os.environ.get("VISIONKIT_TEST_DATA", ROOT.parent / "shared" / "data"))
    parser.add_argument("--data", type=Path, default=data, help="coco128, bccd, pennfudan, membrane, videos")
    return parser.parse_args()


def row(finding: Finding) -> str:
    """A line of the table."""
    beside = "" if finding.library is None else number(finding.library)
    reached = {True: "yes", False: "**no**", None: ""}[finding.reached]
    ours = f"{number(finding.ours)} {finding.unit}".strip()
    return f"| {finding.what} | {ours} | {beside} | {finding.asked} | {reached} | {finding.on} |"


def number(value: float) -> str:
    """Four digits that count, whole numbers as they are."""
    if float(value).is_integer():
        return f"{value:.0f}"
    return f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.1e}"


def table(found: Iterable[Finding]) -> str:
    """Everything as Markdown, a section a family."""
    lines, family = [ABOUT], ""
    for finding in found:
        if finding.family != family:
            family = finding.family
            lines += [f"\n## {family}\n", "| what | ours | library | asked | reached | on |"]
            lines += ["| --- | ---: | ---: | ---: | --- | --- |"]
        lines.append(row(finding))
    return "\n".join([*lines, "", ", ".join(f"{key} {value}" for key, value in describe().items()) + ".", ""])


def write(rows: Rows, folder: Path) -> list[Path]:
    """``accuracy.md`` and ``accuracy.json`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "accuracy.md", folder / "accuracy.json"]
    found = [finding for measured in rows.values() for finding in measured]
    families = list(dict.fromkeys(finding.family for finding in found))
    paths[0].write_text(table(sorted(found, key=lambda finding: families.index(finding.family))), "utf-8")
    values = [{**asdict(one), "reached": one.reached, "by": by} for by, measured in rows.items() for one in measured]
    data = {"machine": describe(), "rows": values}
    paths[1].write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return paths


if __name__ == "__main__":
    main()
