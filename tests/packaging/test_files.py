"""What holds for every file of the project."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

LONGEST = 350  # lines; the aim is 300

# How lock files and settings name a registry, whichever it is; example hosts are nobody's. In parts, so that this file
# does not find itself.
HOST = r"https?://(?!\S*\bexample\b)\S+"
INDEX = "|".join((HOST + "/simple" + r"\b", r"\bindex[-_]url\s*=\s*" + HOST, r"\bregistry\s*=\s*" + HOST))
FOLDERS = "|".join(("work", "opt", "root", "tmp/w", r"home/\w+", r"Users/\w+"))
PATTERNS = {
    "a package registry": re.compile(INDEX, re.IGNORECASE),
    "a path of one machine": re.compile(rf"(?<![\w.~/}}*$-])/(?:{FOLDERS})/"),
}


@cache
def files(root: Path) -> list[Path]:
    """Every file that is or would be committed."""
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [path for name in listed.stdout.split("\0") if name and (path := root / name).is_file()]


def text(path: Path) -> str:
    """The file's text; nothing where it is no text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("what", PATTERNS)
def test_no_file_names(root: Path, what: str) -> None:
    found = [
        f"{path.relative_to(root)}:{number}: {line.strip()[:100]}"
        for path in files(root)
        for number, line in enumerate(text(path).splitlines(), 1)
        if PATTERNS[what].search(line)
    ]
    assert not found, f"names {what}"


@pytest.mark.parametrize(
    ("what", "line", "found"),
    [
        ("a package registry", "index = https://packages.host/" + "simple", True),
        ("a package registry", "pip install visionkit", False),
        ("a path of one machine", "open('/" + "work/shared/data')", True),
        ("a path of one machine", "x/" + "work/y and ../" + "root/z", False),
    ],
)
def test_the_patterns_can_find(what: str, line: str, found: bool) -> None:
    assert bool(PATTERNS[what].search(line)) is found


def test_python_files_are_short(root: Path) -> None:
    lengths = {
        path.relative_to(root).as_posix(): len(text(path).splitlines()) for path in files(root) if path.suffix == ".py"
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}


def test_nothing_large_is_committed(root: Path) -> None:
    megabytes = {path.relative_to(root).as_posix(): path.stat().st_size / 2**20 for path in files(root)}
    assert {name: round(size, 1) for name, size in megabytes.items() if size > 20} == {}
