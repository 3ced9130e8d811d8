"""Wrong pipeline files: every problem at once, with position and help, exactly as a reviewer read it.

``VISIONKIT_UPDATE_SNAPSHOTS=1 pytest tests/pipeline/test_errors.py`` writes the snapshots anew; read the diff.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from visionkit.errors import PipelineError
from visionkit.pipeline.compile import compile_file, compile_text
from visionkit.pipeline.problems import CODES

WRONG = Path(__file__).parent / "wrong"
FILES = sorted(WRONG.glob("*.yaml"))


def errors_of(path: Path) -> str:
    with pytest.raises(PipelineError) as caught:
        compile_file(path)
    return str(caught.value).replace(str(WRONG) + "/", "") + "\n"


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_wrong_files(path: Path) -> None:
    found = errors_of(path)
    snapshot = path.with_suffix(".txt")
    if os.environ.get("VISIONKIT_UPDATE_SNAPSHOTS"):
        snapshot.write_text(found, encoding="utf-8")
    assert found == snapshot.read_text(encoding="utf-8")


def test_every_file_has_its_snapshot() -> None:
    assert len(FILES) >= 12
    assert {p.stem for p in WRONG.glob("*.txt")} == {p.stem for p in FILES}


def test_positions_point_at_the_text_they_speak_of() -> None:
    """A sample of words that messages quote must stand where the position says."""
    checked = 0
    for path in FILES:
        lines = path.read_text(encoding="utf-8").splitlines()
        for line, column, message in re.findall(rf"{path.name}:(\d+):(\d+)  .*\n  (.*)", errors_of(path)):
            rest = lines[int(line) - 1][int(column) - 1 :]
            quoted = re.search(r"(?:no stage|no parameter|no key|has the id|the variable) '?\$?([\w.]+)'?", message)
            if quoted:
                assert rest.lstrip("$\"'").startswith(quoted[1].lstrip("$")), (path.name, line, column, message)
                checked += 1
    assert checked >= 12


def test_a_codes_meaning_is_stable() -> None:
    """Users search for these: a code may be added, never given another meaning."""
    snapshot = Path(__file__).parent / "codes.txt"
    found = "".join(f"{code}  {meaning}\n" for code, meaning in sorted(CODES.items()))
    if os.environ.get("VISIONKIT_UPDATE_SNAPSHOTS"):
        snapshot.write_text(found, encoding="utf-8")
    assert found == snapshot.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("line", "help_"),
    [
        ("- draw.boxes: {label: {class_name}}", 'put quotes around it: label: "..."'),
        ("- draw.boxes: {label: [class_name]}", 'put quotes around it: label: "..."'),
        ("- draw.boxes:\n      label: #{track_id}", 'put quotes around it: label: "..."'),
        ("- draw.boxes: {label: {class_name}, {score}}", "put quotes around it"),
        ("- detect: {when: [1, 2}", "put quotes around it"),
        ("- detect: {when: {index} > 3}", "put quotes around it"),
    ],
)
def test_missing_quotes_are_recognised(line: str, help_: str) -> None:
    with pytest.raises(PipelineError) as caught:
        compile_text(f"stages:\n  - detect\n  {line}\n")
    assert help_ in str(caught.value)


def test_aliases_depth_and_size_are_bounded() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{c}: &{c} [*{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}, *{p}]\n"
        for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for text, message in ((bomb, "values"), ("[" * 2000, "deeper"), ("x: " + "y" * 2_000_000, "larger")):
        with pytest.raises(PipelineError, match=message) as caught:
            compile_text(text)
        assert caught.value.problems[0].code == "VK102"
