"""Settings written into a pipeline file: the ``run:`` section changes, every other byte stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from visionkit.errors import UsageError
from visionkit.pipeline.compile import compile_text
from visionkit.tune.write import changed, write_run

HEAD = "# people   \nversion: 1\nstages:\n- filter.blur:   {size: 5}   # soft\n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (HEAD, HEAD.rstrip("\n") + "\nrun:\n  workers: 3\n"),
        (HEAD + "run: {batch: 2}  # mine\n", HEAD + "run: {batch: 2, workers: 3} # mine\n"),
        (HEAD + "run:\n  # why\n  workers: 1   # one\n", HEAD + "run:\n  # why\n  workers: 3   # one\n"),
        (HEAD + "run:\n", HEAD + "run:\n  workers: 3\n"),
        (
            "run:\n  seed: 4\n\n# the work\nstages: [filter.blur]\n",
            "run:\n  seed: 4\n  workers: 3\n\n# the work\nstages: [filter.blur]\n",
        ),
        (HEAD.replace("\n", "\r\n"), HEAD.rstrip("\n").replace("\n", "\r\n") + "\r\nrun:\r\n  workers: 3\r\n"),
        ("stages: [filter.blur]", "stages: [filter.blur]\nrun:\n  workers: 3\n"),
        ("run: {batch: 2}\nstages: [filter.blur]", "run: {batch: 2, workers: 3}\nstages: [filter.blur]"),
        (
            "description: 'two\u2028lines'\nstages: [filter.blur]\n",
            "description: 'two\u2028lines'\nstages: [filter.blur]\nrun:\n  workers: 3\n",
        ),
        (
            "stages:\r\n  - filter.blur\n\nrun: {batch: 2}\r\n",
            "stages:\r\n  - filter.blur\n\nrun: {batch: 2, workers: 3}\r\n",
        ),
        (
            "stages: [filter.blur]\n\n... # that is all\n",
            "stages: [filter.blur]\nrun:\n  workers: 3\n... # that is all\n",
        ),
        ("stages: [filter.blur]\nrun: {batch: 2}\n...\n", "stages: [filter.blur]\nrun: {batch: 2, workers: 3}\n...\n"),
    ],
)
def test_only_the_section_changes(before: str, after: str) -> None:
    assert changed(before, {"workers": 3}) == after
    assert compile_text(after).run["workers"] == 3


def test_a_file_in_braces_is_left_alone() -> None:
    with pytest.raises(UsageError, match="braces"):
        changed("{stages: [filter.blur], run: {batch: 2}}", {"workers": 3})


def test_the_file_is_replaced_at_once(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(HEAD)
    path.chmod(0o640)
    write_run(path, {"backend": "openvino", "decoder_threads": 1})
    assert path.read_text() == HEAD.rstrip("\n") + "\nrun:\n  backend: openvino\n  decoder_threads: 1\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text(HEAD)
    link.symlink_to(real)
    write_run(link, {"workers": 3})
    assert link.is_symlink()
    assert real.read_text().endswith("run:\n  workers: 3\n")


@pytest.mark.skipif(os.access("/", os.W_OK), reason="this user may write every file")
def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(HEAD)
    path.chmod(0o444)
    with pytest.raises(PermissionError):
        write_run(path, {"workers": 3})
    assert path.read_text() == HEAD
    assert list(tmp_path.iterdir()) == [path]
