"""The report of a run of a detector, as a person sees it in a browser."""

from __future__ import annotations

import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

PHOTOS = ("astronaut.jpg", "cameraman.jpg", "coins.jpg", "page.jpg", "street.jpg")
PIPELINE = """
stages:
  - detect: {weights: ssdlite_mobilenet_person, min_score: 0.2}
  - draw.boxes: {}
outputs: [media, jsonl]
"""


@pytest.fixture(scope="module")
def out(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of five photos and of a file that is none, with a report."""
    pytest.importorskip("torch", reason="torch is not installed")
    folder = tmp_path_factory.mktemp("report")
    (folder / "p.yaml").write_text(PIPELINE)
    (folder / "in").mkdir()
    for name in PHOTOS:
        shutil.copy(samples / "photos" / name, folder / "in")
    (folder / "in" / "broken.jpg").write_text("no picture")
    command = [sys.executable, "-m", "visionkit", "run", folder / "p.yaml", folder / "in"]
    given = [*map(str, command), "-o", str(folder / "out"), "--report", "--offline"]
    done = subprocess.run(given, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    return folder / "out"


@pytest.fixture
def page(browser: Any, out: Path) -> Any:
    """The report, open; nothing may be said on the console and nothing asked for elsewhere."""
    said: list[str] = []
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto((out / "report.html").as_uri())
    yield page
    assert said == []
    assert [url for url in asked if not url.startswith("data:")] == [(out / "report.html").as_uri()]
    page.close()


def shown(page: Any) -> list[str]:
    """Names of the pictures that are to be seen, in order."""
    cards = page.locator("#gallery button")
    return [cards.nth(i).get_attribute("title") for i in range(cards.count()) if cards.nth(i).is_visible()]


def test_its_figures_are_the_tables(page: Any, out: Path) -> None:
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    objects = [item for row in rows for item in row["detect"]]
    assert len(objects) > 1
    totals = dict(reversed(text.split("\n")) for text in page.locator("#totals > div").all_inner_texts())
    assert (totals["inputs done"], totals["failed"], totals["objects"]) == ("5", "1", str(len(objects)))
    assert page.locator("#failed tbody tr").count() == 1
    assert "broken.jpg" in page.locator("#failed").inner_text()
    bars = page.locator("#classes .bars > span").all_inner_texts()
    assert dict(zip(bars[::2], map(int, bars[1::2]), strict=True)) == Counter(o["class_name"] for o in objects)


def test_the_histogram_has_every_score(page: Any, out: Path) -> None:
    rows = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    columns = page.locator("#scores .columns > i")
    titles = [columns.nth(i).get_attribute("title") for i in range(columns.count())]
    counts = [int(re.search(r": (\d+)$", title)[1]) for title in titles]  # type: ignore[index]
    assert len(counts) == 20
    assert sum(counts) == sum(len(row["detect"]) for row in rows)
    assert not any(counts[:4]), "the pipeline keeps scores from 0.2 on"
    heights = [columns.nth(i).bounding_box()["height"] for i in range(20)]
    tallest = max(heights)
    assert tallest > 40
    assert heights == pytest.approx([tallest * n / max(counts) for n in counts], abs=1)


def test_the_filter_narrows_the_gallery(page: Any) -> None:
    assert set(shown(page)) == set(PHOTOS)
    page.fill("#filter [name=name]", "STRO")
    assert shown(page) == ["astronaut.jpg"]
    assert "1 of 5 shown" in page.locator("#shown").inner_text()
    page.fill("#filter [name=name]", "")
    best = {item["name"]: item["score"] for item in json.loads(page.locator("#data").text_content())["gallery"]}
    scores = sorted(score for score in best.values() if score is not None)
    assert 2 <= len(scores) < len(PHOTOS)
    page.select_option("#filter [name=class]", "person")
    assert set(shown(page)) == {name for name, score in best.items() if score is not None}
    page.select_option("#filter [name=class]", "")
    least = math.floor(scores[-1] * 100) / 100
    page.locator("#filter [name=score]").fill(str(least))
    assert set(shown(page)) == {name for name, score in best.items() if (score or 0) >= least}
    assert 1 <= len(shown(page)) < len(scores)


def test_a_picture_opens_grows_and_closes(page: Any) -> None:
    page.click("#gallery button[title='astronaut.jpg']")
    dialog = page.locator("#zoom")
    picture = dialog.locator("img")
    assert dialog.is_visible()
    assert "astronaut.jpg" in dialog.locator("figcaption").inner_text()
    assert picture.evaluate("async (img) => { await img.decode(); return img.naturalWidth; }") > 300
    before = picture.bounding_box()["width"]
    area = dialog.locator("figure > div").bounding_box()
    page.mouse.move(area["x"] + area["width"] / 2, area["y"] + area["height"] / 2)
    page.mouse.wheel(0, -300)
    page.wait_for_function("document.querySelector('#zoom img').style.transform.includes('scale(2.7')")
    assert picture.bounding_box()["width"] > 2 * before
    page.keyboard.press("ArrowRight")
    assert "astronaut.jpg" not in dialog.locator("figcaption").inner_text()
    page.keyboard.press("Escape")
    assert not dialog.is_visible()
