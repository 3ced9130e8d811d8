"""Cuts the tables of an earlier run back to the rows of inputs that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from visionkit.runtime.manifest import Manifest, Row, named

BLOCK = 1 << 20
Span = tuple[int, int]


def part_of(path: Path) -> Path:
    """Where a table lies while it is being written."""
    return path.with_name(path.name + ".part")


def fresh_of(path: Path) -> Path:
    """Where a table lies whose rows were taken out, until the manifest knows."""
    return path.with_name(path.name + ".next")


def settle(manifest: Manifest, out: Path) -> None:
    """Ends a cut that was interrupted: once the manifest has the new offsets, the new tables count."""
    for name in manifest.get("cut", []):
        with _naming(out / name):
            if fresh_of(out / name).exists():
                fresh_of(out / name).replace(part_of(out / name))
    manifest.set(cut=[])


def sizes_of(out: Path, names: Sequence[str]) -> dict[str, int]:
    """Bytes in each table, finished or not."""
    sizes = {}
    for name in names:
        with _naming(out / name):
            found = [path.stat().st_size for path in (part_of(out / name), out / name) if path.exists()]
            sizes[name] = found[0] if found else 0
    return sizes


def unfinish(out: Path, names: Sequence[str]) -> None:
    """Takes tables' final names away, as they will grow."""
    for path in (out / name for name in names):
        with _naming(path):
            if path.exists() and not part_of(path).exists():
                path.replace(part_of(path))


def cut_back(manifest: Manifest, out: Path, sizes: dict[str, int], keep: Callable[[Row], bool]) -> None:
    """Leaves in every table its head and the rows of inputs that ``keep`` accepts; the others become pending.

    Tables whose last rows go are shortened. Where others go too, the rest is copied beside the table, the manifest gets
    the new offsets in one transaction, and then the copy takes the table's place.
    """
    head: dict[str, int] = {name: min(n, sizes.get(name, 0)) for name, n in manifest.get("heads", {}).items()}
    at = {name: head.get(name, 0) for name in sizes}
    spans: dict[str, list[Span]] = {name: [(0, at[name])] for name in sizes}
    new = dict(at)
    changed: list[Row] = []
    for row in manifest.written():
        kept = keep(row) and all(end <= sizes.get(name, 0) for name, end in row.ends.items())
        for name, end in row.ends.items():
            if kept:
                _extend(spans.setdefault(name, [(0, 0)]), (at.get(name, 0), end))
                new[name] = new.get(name, 0) + end - at.get(name, 0)
            at[name] = end
        ends = {name: new[name] for name in row.ends}
        if not kept:
            changed.append(replace(row, state="pending", position=None, ends={}))
        elif ends != dict(row.ends):
            changed.append(replace(row, ends=ends))
    copied = [name for name, parts in spans.items() if len(parts) > 1 and sizes.get(name, 0)]
    for name in copied:
        _copy(out / name, spans[name])
    manifest.put(changed, cut=copied)
    settle(manifest, out)
    for name, size in sizes.items():
        if name not in copied and size > spans[name][-1][1]:
            with _naming(out / name), part_of(out / name).open("r+b") as table:
                table.truncate(spans[name][-1][1])


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise named(path, error) from error


def _extend(spans: list[Span], span: Span) -> None:
    if spans[-1][1] == span[0]:
        spans[-1] = (spans[-1][0], span[1])
    elif span[0] < span[1]:
        spans.append(span)


def _copy(path: Path, spans: list[Span]) -> None:
    with _naming(path), part_of(path).open("rb") as source, fresh_of(path).open("wb") as target:
        for begin, end in spans:
            source.seek(begin)
            for size in _blocks(end - begin):
                target.write(source.read(size))


def _blocks(size: int) -> Iterator[int]:
    while size > 0:
        yield min(size, BLOCK)
        size -= BLOCK
