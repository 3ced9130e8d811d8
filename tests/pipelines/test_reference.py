"""docs/stages.md and docs/errors.md say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.make_reference import PAGES
from visionkit.stage.catalogue import sinks, stages

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: python docs/make_reference.py"


def test_every_stage_and_output_has_its_section_and_every_link_its_target() -> None:
    text = (DOCS / "stages.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ (.+)$", text, re.MULTILINE)
    assert set(stages().names()) | set(sinks().names()) <= set(headings)
    anchors = {heading.lower().replace(".", "").replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors


def test_every_code_has_its_line() -> None:
    package = DOCS.parent / "visionkit"
    code = "".join(path.read_text(encoding="utf-8") for path in package.rglob("*.py"))
    listed = (DOCS / "errors.md").read_text(encoding="utf-8")
    assert set(re.findall(r'"(VK\d{3})"', code)) - {"VK300"} <= set(re.findall(r"^\| (VK\d{3}) ", listed, re.MULTILINE))
