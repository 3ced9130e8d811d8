"""What a person reads of inputs that failed: the first few, with the reason."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

SHOWN = 3


def failure_lines(out: Path, failed: int, before: int = 0) -> list[str]:
    """The first failures of a run below ``out``, one line each, and how many more there are.

    A run that goes on with another appends its ``failed`` rows to those that are there; where it had none, those of
    ``before`` are told.
    """
    table = out / "errors.jsonl"
    count = failed or before
    if not count or not table.is_file():
        return []
    with table.open(encoding="utf-8") as rows:
        skipped = sum(1 for _ in rows) - failed if failed else 0
        rows.seek(0)
        lines = [_line(json.loads(row)) for row in islice(rows, max(0, skipped), max(0, skipped) + SHOWN)]
    return [*lines, *([f"... and {count - SHOWN} more, see {table}"] if count > SHOWN else [])]


def _line(row: dict[str, str]) -> str:
    """Messages that name the file themselves need no name before them."""
    message = " ".join(row["message"].split())
    names = {row["source"], row["path"] or row["source"]}
    known = any(name in message for name in names)
    return f"failed: {message if known else row['source'] + ': ' + message}"
