"""What the hash of a plan holds: results of a run are gone on with only where it is the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from visionkit.pipeline.compile import CompileOptions, compile_file

PYTHON = "stages:\n  - python: {file: mine.py, function: f}\n"
PICTURE = "stages:\n  - matte\n  - background.replace: {picture: mine.py}\n"
FOLDER = "stages:\n  - labels: {path: labels}\n"


def hashed(folder: Path, text: str) -> str:
    (folder / "p.yaml").write_text(text)
    return compile_file(folder / "p.yaml", CompileOptions(allow_code=True)).hash


@pytest.mark.parametrize("text", [PYTHON, PICTURE])
def test_a_change_in_a_file_of_the_users_is_another_plan(tmp_path: Path, text: str) -> None:
    code = tmp_path / "mine.py"
    code.write_text("def f(x):\n    return x // 2\n")
    first = hashed(tmp_path, text)
    assert hashed(tmp_path, text) == first
    code.write_text("def f(x):\n    return x // 3\n")
    assert hashed(tmp_path, text) != first


def test_a_change_in_a_folder_of_labels_is_another_plan(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    first = hashed(tmp_path, FOLDER)
    assert hashed(tmp_path, FOLDER) == first
    (tmp_path / "labels" / "b.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    assert hashed(tmp_path, FOLDER) != first
