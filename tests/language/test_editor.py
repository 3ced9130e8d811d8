"""The JSON Schema in a real editor's hands: the YAML language server, driven as an editor drives it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.language.corpus import FILES
from tests.language.lsp import YamlServer
from visionkit.pipeline.schema import pipeline_schema

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YamlServer]:
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not on this machine")
    folder = tmp_path_factory.mktemp("editor")
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts", "yaml-language-server@1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=150, check=False)
    script = folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server"
    if done.returncode or not script.exists():
        pytest.skip(f"the YAML language server cannot be installed: {done.stderr[-300:]}")
    schema = folder / "visionkit.schema.json"
    schema.write_text(json.dumps(pipeline_schema()))
    with YamlServer(["node", str(script), "--stdio"], schema) as running:
        running.diagnose("stages: [detect]\n")  # the schema is loaded with the first document
        yield running


def test_names_are_completed_after_the_dash(server: YamlServer) -> None:
    for text in ("stages:\n  - |", "stages:\n  - detect\n  - |", "stages:\n  - for_each:\n      stages:\n        - |"):
        offered = server.complete(text)
        assert {"detect", "draw.boxes", "track.bytetrack", "for_each", "use"} <= set(offered), text
    assert "Finds objects" in str(offered["detect"]["documentation"])
    assert {"media", "jsonl", "csv"} <= set(server.complete("stages: [detect]\noutputs:\n  - |"))
    assert {"stages", "vars", "outputs", "exports"} <= set(server.complete("|"))


@pytest.mark.parametrize(
    ("text", "wanted", "unwanted"),
    [
        ("stages:\n  - detect:\n      |", {"weights", "min_score", "id", "in", "when", "enabled"}, {"as", "sigma"}),
        ("stages:\n  - detect:\n      min_score: 0.4\n      |", {"weights", "id"}, {"min_score"}),
        ("stages:\n  - for_each:\n      |", {"as", "pad", "every", "until", "set", "stages", "when"}, {"weights"}),
        (
            "stages:\n  - for_each:\n      stages:\n        - ocr.rapidocr:\n            |",
            {"mode", "id"},
            {"as", "sigma"},
        ),
        ("stages:\n  - for_each:\n      every:\n        |", {"frames", "seconds", "per"}, {"mode"}),
        ("stages:\n  - use:\n      |", {"file", "vars", "in", "id"}, {"when", "on_error"}),
        ("stages: [detect]\noutputs:\n  - media:\n      |", {"path", "codec", "when"}, {"on_error"}),
        ("stages: [detect]\nrun:\n  |", {"batch", "device", "workers"}, {"id"}),
    ],
)
def test_parameters_are_completed_in_block_style(
    server: YamlServer, text: str, wanted: set[str], unwanted: set[str]
) -> None:
    offered = set(server.complete(text))
    assert wanted <= offered
    assert not unwanted & offered


def test_values_are_completed(server: YamlServer) -> None:
    assert {"stretch", "inside", "cover"} <= set(server.complete("stages:\n  - resize:\n      fit: |"))
    assert {"skip", "stop"} <= set(server.complete("stages:\n  - detect:\n      on_error: |"))
    offered = server.complete("stages:\n  - detect:\n      weights: |")
    assert "yolo11n" in offered
    assert "mobilenet_v2" not in offered, "classifiers are no detectors"


def test_completion_inserts_no_null(server: YamlServer) -> None:
    for item in server.complete("stages:\n  - detect:\n      |").values():
        assert "null" not in str(item.get("insertText"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("stages:\n  - detect:\n      sise: 3\n", [(3, "sise", "not allowed")]),
        ("stages:\n  - filter.blurr:\n      size: 3\n", [(2, "filter.blurr", "not allowed")]),
        ("stages:\n  - filter.blurr\n", [(2, "filter.blurr", "no stage of that name")]),
        ("stages:\n  - filter.blur:\n      size: five\n", [(3, "five", "Incorrect type")]),
        ("stages:\n  - detect:\n      min_score: 40\n", [(3, "40", "maximum of 1")]),
        (
            "stages:\n  - for_each:\n      sett: 3\n      stages:\n        - detect:\n            sise: 3\n",
            [(3, "sett", "not allowed"), (6, "sise", "not allowed")],
        ),
        (
            "stages:\n  - for_each:\n      every:\n        frame: 3\n      stages: []\n",
            [(4, "frame: 3", "Incorrect type")],
        ),
        ("stages:\n  - for_each:\n      as: car\n", [(2, "for_each", "Missing property")]),
        ("stage: []\nstages: []\n", [(1, "stage", "not allowed")]),
        ("version: 2\nstages: []\n", [(1, "2", "must be 1")]),
        ("stages: []\noutputs:\n  - mdia\n", [(3, "mdia", "no output of that name")]),
        ("stages:\n  - detect: {}\n    draw.boxes: {}\n", [(2, "detect: {}", "limit of 1")]),
        ("stages:\n  - warp:\n      points: [[0, x], [1, 0], [1, 1], [0, 1]]\n", [(3, "x", "Incorrect type")]),
        (
            "stages:\n  - zones.count:\n      zones:\n        a b: [[0, 0], [1, 0], [1, 1]]\n",
            [(4, "a b", "not allowed")],
        ),
    ],
)
def test_mistakes_are_underlined(server: YamlServer, text: str, found: list[tuple[int, str, str]]) -> None:
    seen = sorted(server.diagnose(text))
    assert [(line, at) for line, at, _ in seen] == [(line, at) for line, at, _ in found]
    for (_, _, message), (_, _, wanted) in zip(seen, found, strict=True):
        assert wanted in message


def test_good_files_are_not_underlined(server: YamlServer, root: Path) -> None:
    variables = """
vars: {w: 3, area: {}, name: yolo11n, on: true, side: 0.5}
stages:
  - edges.canny
  - filter.blur:
  - resize: {width: $w, fit: $fit}
  - detect: {weights: $name, classes: [$name], enabled: $on, on_error: $policy, id: $id}
  - zones.count: {zones: $area}
  - zones.count: {zones: {door: [[0, $side], [1, 0], [1, 1]]}}
  - draw.boxes: {color: $color, trail: $w, in: {objects: a, image: [b]}}
  - for_each: {pad: $side, every: {frames: $w, per: track}, stages: [crop: {in: {boxes: a}}]}
"""
    pipelines = {str(path): path.read_text(encoding="utf-8") for path in sorted((root / "pipelines").rglob("*.yaml"))}
    for name, text in {**FILES, **pipelines, "variables": variables}.items():
        bare = "\n".join(line for line in text.split("\n") if "$schema=" not in line)
        assert server.diagnose(bare) == [], name


def test_the_modeline_finds_the_schema(server: YamlServer, tmp_path: Path) -> None:
    """``# yaml-language-server: $schema=../visionkit.schema.json``, as our pipelines have it."""
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "visionkit.schema.json").write_text('{"type": "object", "required": ["nothing"]}')
    text = "# yaml-language-server: $schema=../visionkit.schema.json\nstages: [detect]\n"
    path = tmp_path / "pipelines" / "p.yaml"
    path.write_text(text)
    assert any("nothing" in message for _, _, message in server.diagnose(text, str(path)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("stages:\n  - de|tect:\n      min_score: 0.4\n", "Finds objects with any detector"),
        ("stages:\n  - edges.ca|nny\n", "Finds thin, connected edges"),
        ("stages:\n  - detect:\n      min_sc|ore: 0.4\n", "Drop objects that score lower. Default: 0.25."),
        ("stages:\n  - detect:\n      wh|en: a > 3\n", "Run only where this is true"),
        ("stages:\n  - for_each:\n      un|til: a > 3\n      stages: []\n", "it is run no more"),
        ("stages:\n  - for_each:\n      stages:\n        - filter.blur:\n            si|ze: 3\n", "Side of the kernel"),
        ("stages: []\noutputs:\n  - media:\n      pa|th: x\n", "{source."),
    ],
)
def test_hover_explains(server: YamlServer, text: str, shown: str) -> None:
    found = server.hover(text)
    assert shown in found
    assert "Allowed Values" not in found
    assert not found.startswith("####")
