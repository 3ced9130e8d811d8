"""The report of a run: right figures, one file, and nothing of an input's name is ever markup."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.batch.batches import run, visionkit

EVIL = "<img src=x onerror=alert(1)>&amp;.png"
CLOSING = "\"><!--</script><script>document.title='owned'"


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.fixture
def page(pipeline: Path, folder: Path, tmp_path: Path) -> str:
    shutil.copy(folder / "1.png", folder / EVIL)
    (folder / "broken.png").write_text("no picture")
    run(pipeline, folder, "-o", tmp_path / "out", "--report", code=3)
    return (tmp_path / "out" / "report.html").read_text()


def test_its_figures_are_those_of_the_run(page: str, tmp_path: Path) -> None:
    data = data_of(page)
    rows = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    objects = [item for row in rows for item in row["contours"]]
    assert data["counts"] == {"done": 13, "failed": 1, "pending": 0}
    assert data["objects"] == sum(count for _, count in data["classes"]) == len(objects)
    assert [row["name"] for row in data["failed"]] == ["broken.png"]
    assert {item["name"] for item in data["gallery"]} == {row["source"] for row in rows}
    assert all(row["seconds"] > 0 for row in data["slowest"])
    assert {"decode", "contours"} <= {stage["name"] for stage in data["stages"]}
    visionkit("report", tmp_path / "out", "--to", tmp_path / "few.html", "--gallery", 5)
    assert len(data_of((tmp_path / "few.html").read_text())["gallery"]) == 5


def test_nothing_comes_from_outside_and_names_are_never_markup(page: str) -> None:
    assert EVIL in [item["name"] for item in data_of(page)["gallery"]]
    assert "<img src=x" not in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "default-src 'none'" in page


def test_a_name_cannot_end_the_script() -> None:
    from visionkit.app.report_html import render

    page = render({"title": CLOSING})
    assert page.count("</script>") == 2
    assert data_of(page) == {"title": CLOSING}


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    done = visionkit("report", tmp_path)
    assert done.returncode == 2
    assert "no run on files" in done.stderr
