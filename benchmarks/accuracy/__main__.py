"""The command: measures every family and writes one table."""

from __future__ import annotations

import argparse
import importlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy.lab import ROOT, Finding, Lab
from benchmarks.machine import describe

FAMILIES = ("detection", "own_nets", "classification", "text", "style", "tracking", "overhead")
ABOUT = """# accuracy

Is it right? Each family on real pictures with real weights, beside its library called by hand with the same weights.
Made by `python -m benchmarks.accuracy --data FOLDER`; [docs/numbers.md](../../docs/numbers.md) says how to read it.
"""


def main() -> None:
    """Parse the command line, measure, write."""
    options = _options()
    lab = Lab(options.data)
    found = []
    for family in options.families or FAMILIES:
        for finding in importlib.import_module(f"benchmarks.accuracy.{family}").findings(lab):
            print(row(finding), flush=True)
            found.append(finding)
    for path in write(found, options.out):
        print(f"wrote {path}")


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


def write(found: list[Finding], folder: Path) -> list[Path]:
    """``accuracy.md`` and ``accuracy.json`` in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / "accuracy.md", folder / "accuracy.json"]
    ordered = sorted(found, key=lambda finding: list(dict.fromkeys(f.family for f in found)).index(finding.family))
    paths[0].write_text(table(ordered), "utf-8")
    rows = [{**asdict(finding), "reached": finding.reached} for finding in ordered]
    paths[1].write_text(json.dumps({"machine": describe(), "rows": rows}, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return paths


if __name__ == "__main__":
    main()
