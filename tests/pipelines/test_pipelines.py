"""Every file in pipelines/ compiles and does on its sample what it says; pipelines in the docs compile."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from visionkit import Pipeline
from visionkit.errors import MissingExtraError, WeightsError
from visionkit.media.sources import SourceOptions
from visionkit.runtime.metrics import RunSummary

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "pipelines").glob("*.yaml"))
HEADER = "# yaml-language-server: $schema=../visionkit.schema.json"
FRAMES = 40
"""How much of a video is run."""
LONGER = {"count": 105}
"""Where more has to happen."""

SUFFIXES = {".jpg", ".png", ".gif", ".mp4"}
SAMPLES = sorted(s for s in (ROOT / "samples").rglob("*.*") if s.suffix in SUFFIXES and "studio" not in s.parts)

Rows = list[dict[str, Any]]


def classes(rows: Rows, id_: str) -> Counter[str]:
    return Counter(o["class_name"] for row in rows for o in row[id_] or ())


def words(lines: dict[str, Any]) -> str:
    return " ".join(line["text"] for line in lines["lines"])


FACTS: dict[str, Callable[[Rows], bool]] = {
    "attention": lambda rows: rows[0]["classify_gradcam"]["max"] > 0.9,
    "augment": lambda rows: (
        len(rows) == 4 and all(row["objects"] for row in rows) and len(classes(rows, "objects")) >= 3
    ),
    "classify": lambda rows: "cat" in rows[0]["classify"]["labels"][0]["class_name"],
    "codes": lambda rows: [rows[0][id_][0]["text"] for id_ in ("qr", "bars")] == ["parcel/2024-118", "4006381333931"],
    "coins": lambda rows: len(rows[0]["coins"]) == 24,
    "count": lambda rows: rows[-1]["crossed.counts"] == {"middle.in": 1, "middle.out": 2},
    "cutout": lambda rows: classes(rows, "shapes") == {"cat": 1},
    "dataset": lambda rows: {"person", "cat", "cup", "sheep"} <= set(classes(rows, "objects")),
    "detect": lambda rows: {"person", "cat", "bus", "car"} <= set(classes(rows, "detect")),
    "develop": lambda rows: len(rows) == 1,
    "divide": lambda rows: len(rows[0]["things"]) == 24,
    "edges": lambda rows: len(rows) == 1,
    "enlarge": lambda rows: len(rows) == 1,
    "faces": lambda rows: classes(rows, "faces") == {"face": 1},
    "flow": lambda rows: sum(row["flow_dis"]["max"] > 1 for row in rows if row["flow_dis"]) > FRAMES / 2,
    "follow": lambda rows: all(one["car"][0]["track_id"] == 1 for one in rows[:20]),
    "kernels": lambda rows: len(rows) == 1,
    "letters": lambda rows: words(rows[0]["lines"]).startswith("PARKING"),
    "lines": lambda rows: 20 <= len(rows[0]["lines"]["lines"]) <= 200,
    "motion": lambda rows: sum(bool(row["movers"]) for row in rows[10:]) > FRAMES / 2,
    "paint": lambda rows: len(rows) == 1,
    "people": lambda rows: classes(rows, "faces") == {"face": 1} and classes(rows, "people") == {"person": 1},
    "plates": lambda rows: {o["number.text"] for row in rows for o in row["plates"]} == {"HK472", "TR924"},
    "pose": lambda rows: all(len(o["keypoints"]) == 17 for o in rows[9]["people"]) and len(rows[9]["people"]) >= 2,
    "privacy": lambda rows: classes(rows, "people")["person"] >= 1,
    "rcnn": lambda rows: any("cat" in name for name in classes(rows, "kept")),
    "read_text": lambda rows: words(rows[0]["lines"]) == "PARKING 8-18 H MAX. 2 HOURS",
    "scan": lambda rows: words(rows[0]["text"]).startswith("How to read a page"),
    "segment": lambda rows: 0.1 < rows[0]["segment"]["shares"]["person"] < 0.4,
    "sketch": lambda rows: len(rows) == 1,
    "speed": lambda rows: sum(o["speed"] is not None and o["speed"] < 300 for o in rows[-1]["moving"]) >= 2,
    "starry": lambda rows: len(rows) == 1,
    "starter": lambda rows: {"bus", "car"} <= set(classes(rows, "detect")),
    "studio": lambda rows: 0.2 < rows[0]["matte"]["coverage"] < 0.6,
    "superpixels": lambda rows: 100 < len(rows[0]["pieces"]) < 200,
    "tiles": lambda rows: classes(rows, "all")["sheep"] >= 5,
    "track": lambda rows: len({o["track_id"] for o in rows[-1]["tracks"]}) >= 3,
}
"""What the table of a pipeline must say of its sample."""


def sample_of(path: Path) -> Path:
    return ROOT / "samples" / re.findall(r"^# sample: (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)[0]


def write(path: Path, sample: Path, out: Path, options: SourceOptions) -> RunSummary:
    """Runs a pipeline on a sample; skips where a package or the network is missing."""
    try:
        return Pipeline.load(path).write(str(sample), out=out, options=options)
    except MissingExtraError as error:
        pytest.skip(f"{error.message}: {error.help}")
    except WeightsError as error:
        if error.code in ("VK312", "VK317"):
            pytest.skip(f"the weights are not on this machine and cannot be fetched: {error.message}")
        raise


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_compiles_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    assert Pipeline.load(path).plan.description
    assert sample_of(path).exists()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_runs_on_its_sample(path: Path, tmp_path: Path) -> None:
    frames = LONGER.get(path.stem, FRAMES) if sample_of(path).suffix == ".mp4" else None
    options = SourceOptions(limit=frames)
    summary = write(path, sample_of(path), tmp_path, options)
    assert summary.failed == summary.object_failures == 0
    assert summary.out == (frames or summary.received)
    rows = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text(encoding="utf-8").splitlines()]
    assert FACTS[path.stem](rows), rows[-1]


def test_every_file_has_its_facts() -> None:
    assert len(FILES) >= 10
    assert set(FACTS) == {path.stem for path in FILES}


def yaml_blocks(path: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("path", [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))], ids=lambda p: p.name)
def test_pipelines_in_the_documentation_compile(path: Path) -> None:
    for block in yaml_blocks(path):
        if "stages:" in block and not re.search(r"\bmy\.py\b|^exports:|file: ", block, re.MULTILINE):
            Pipeline.from_text(block)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.name)
@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_it_runs_on_every_sample(path: Path, sample: Path, tmp_path: Path) -> None:
    summary = write(path, sample, tmp_path, SourceOptions(limit=FRAMES))
    assert summary.failed == summary.object_failures == 0, list(tmp_path.glob("errors.jsonl"))
    assert summary.out


def test_there_are_samples_of_every_kind() -> None:
    assert len(SAMPLES) >= 20
    assert {sample.suffix for sample in SAMPLES} == SUFFIXES
