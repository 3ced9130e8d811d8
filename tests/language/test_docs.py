"""Every YAML block of the language reference compiles."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.language.mistakes import problems_of

ROOT = Path(__file__).resolve().parents[2]
BLOCKS = re.findall(
    r"^```yaml\n(.*?)^```$", (ROOT / "docs/language.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the blocks lie that say ``# file: name.yaml``, for those that use them."""
    path = tmp_path_factory.mktemp("docs")
    for block in BLOCKS:
        if named := re.match(r"# file: (\S+)\n", block):
            (path / named[1]).write_text(block, encoding="utf-8")
    return path


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_a_block_compiles(number: int, folder: Path) -> None:
    path = folder / f"block{number}.yaml"
    path.write_text(BLOCKS[number], encoding="utf-8")
    assert problems_of(path) == []


def test_there_are_blocks() -> None:
    assert len(BLOCKS) >= 12
