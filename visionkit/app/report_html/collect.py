"""What a report shows: from the manifest, from one table of results, and from the pictures that were written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from visionkit.app.report_html.gallery import picture_of
from visionkit.app.report_html.tables import Found, objects_in
from visionkit.errors import UsageError
from visionkit.runtime.manifest import Manifest, Row, is_running, manifest_path, now

BINS = 20
CLASSES = 40
LISTED = 200
SLOWEST = 25


def facts(out: Path, gallery: int) -> dict[str, Any]:
    """Everything on the page, as plain data."""
    if not manifest_path(out).is_file():
        raise UsageError(f"{out}: no run on files has written here", help="name the folder given to run with -o")
    with closing(Manifest(out, readonly=True)) as manifest:
        counts = manifest.counts()
        rows = sample(manifest, gallery, counts["done"])
        runs = manifest.get("runs", [])
        found = {
            "title": out.resolve().name,
            "begun": manifest.get("begun"),
            "made": now(),
            "running": is_running(out),
            "counts": counts,
            "frames": manifest.frames(),
            "seconds": round(sum(run["seconds"] for run in runs), 3),
            "runs": len(runs),
            "stages": stages(runs),
            "slowest": [_line(row) for row in manifest.slowest(SLOWEST)],
            "failed": [{**_line(row), "error": row.error} for row in manifest.failures(LISTED)],
        }
        tables, media = manifest.get("heads", {}), manifest.get("media", [])
    tally = Tally({row.name for row in rows})
    table = tally.read(objects_in(out, tables))
    pictures = [{**item, **tally.of(row.name)} for row in rows if (item := picture_of(out, row, media))]
    return found | table | {"gallery": pictures}


def sample(manifest: Manifest, wanted: int, done: int) -> list[Row]:
    """Finished inputs, spread evenly over the run."""
    step = max(1, -(-done // max(1, wanted)))
    return [row for i, row in enumerate(r for r in manifest.written() if r.state == "done") if i % step == 0][:wanted]


def stages(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seconds of work and packets of every stage, over all runs that reached their end."""
    seconds: Counter[str] = Counter()
    items: Counter[str] = Counter()
    for name, spent, count in (node for run in runs for node in run["nodes"]):
        seconds[name] += spent
        items[name] += count
    return [
        {"name": name, "seconds": round(seconds[name], 3), "ms": round(1000 * seconds[name] / items[name], 2)}
        for name in seconds
        if items[name] and seconds[name] >= 0.001
    ]


class Tally:
    """Counts objects by class and score, and keeps those of ``shown`` sources apart."""

    def __init__(self, shown: set[str]) -> None:
        self._own: dict[str, dict[str, list[float]]] = {name: {} for name in shown}

    def read(self, objects: Iterable[Found]) -> dict[str, Any]:
        """Goes through the objects once, whatever their number."""
        classes: Counter[str] = Counter()
        bins = [0] * BINS
        for source, name, score in objects:
            classes[name] += 1
            if score is not None:
                bins[min(BINS - 1, max(0, int(score * BINS)))] += 1
            if source in self._own:
                self._own[source].setdefault(name, []).append(score or 0.0)
        return {
            "objects": classes.total(),
            "classes": classes.most_common(CLASSES),
            "kinds": len(classes),
            "scores": bins if any(bins) else [],
        }

    def of(self, source: str) -> dict[str, Any]:
        """Classes of one source with how many there are, and the highest score."""
        own = self._own[source]
        best = max((score for scores in own.values() for score in scores), default=None)
        return {"classes": {name: len(scores) for name, scores in own.items()}, "score": best}


def _line(row: Row) -> dict[str, Any]:
    return {"name": row.name, "seconds": round(row.seconds, 3), "frames": row.frames, "attempts": row.attempts}
