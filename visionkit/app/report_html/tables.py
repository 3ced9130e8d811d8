"""Objects as the tables of a run have them; whichever table there is will do."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

Found = tuple[str, str, float | None]
"""Source, class, score."""


def objects_in(out: Path, tables: Iterable[str]) -> Iterator[Found]:
    """The objects of the run in ``out``, from the first of its tables that can be read."""
    for name in sorted(tables, key=lambda name: name.startswith(".visionkit")):
        reader = next((reader for end, reader in READERS if name.endswith(end)), None)
        path = next((p for p in (out / name, out / f"{name}.part") if p.is_file()), None)
        if reader is not None and path is not None and name != "errors.jsonl":
            yield from reader(path)
            return


def _jsonl(path: Path) -> Iterator[Found]:
    for row in _lines(path):
        for value in row.values():
            for item in _items(value):
                if isinstance(item, dict) and "class_name" in item:
                    yield row["source"], str(item["class_name"]), item.get("score")


def _items(value: Any) -> list[Any]:
    """Of detections their list, of labels that under their only name."""
    if isinstance(value, dict):
        value = value.get("labels")
    return value if isinstance(value, list) else []


def _coco(path: Path) -> Iterator[Found]:
    for row in _lines(path):
        source = row["image"]["file_name"].partition("#")[0]
        yield from ((source, item["category"], item.get("score")) for item in row["objects"])


def _parquet(path: Path) -> Iterator[Found]:
    return ((r["source"], r["class_name"], r.get("score")) for r in _lines(path) if r.get("class_name") is not None)


def _csv(path: Path) -> Iterator[Found]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row.get("class_name") and row.get("more") is not None:
                yield row["source"], row["class_name"], float(row["score"]) if row["score"] else None


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a table; a last line that is still being written is left out."""
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.endswith("\n"))


READERS: tuple[tuple[str, Callable[[Path], Iterator[Found]]], ...] = (
    (".parquet.rows", _parquet),
    (".rows", _coco),
    (".jsonl", _jsonl),
    (".csv", _csv),
)
