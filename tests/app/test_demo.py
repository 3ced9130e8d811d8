"""``visionkit demo``: the main job on the bundled samples, and its videos in a real browser."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HIDDEN = 0.3
"""Objects less visible than this need no box."""


@pytest.fixture(scope="module")
def demo(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder with the results, and what was printed; from the installed wheel, far from the checkout."""
    folder = tmp_path_factory.mktemp("demo")
    command = [str(installed / "bin" / "visionkit"), "demo", "--out", str(folder / "results")]
    environment = os.environ | {"PYTHONPATH": str(installed)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=550)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "results", done.stdout


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_it_says_where_the_results_lie(demo: tuple[Path, str]) -> None:
    out, printed = demo
    assert str(out.resolve()) in printed.splitlines()[-1]
    made = {str(path.relative_to(out)) for path in out.rglob("*.*")}
    for name in ("detect/cat.jpg", "detect/results.jsonl", "track/walk.mp4", "plates/traffic.mp4"):
        assert (out / name).stat().st_size > 1000
    assert not [name for name in made if name.endswith((".part", "errors.jsonl"))]


def test_it_finds_what_is_on_the_photos(demo: tuple[Path, str]) -> None:
    found = {row["source"]: {o["class_name"] for o in row["detect"]} for row in rows(demo[0] / "detect/results.jsonl")}
    for photo, name in (
        ("cat", "cat"),
        ("astronaut", "person"),
        ("coffee", "cup"),
        ("sheep", "sheep"),
        ("harbour", "boat"),
    ):
        assert name in found[f"{photo}.jpg"]


def test_the_boxes_are_on_the_people(demo: tuple[Path, str], samples: Path) -> None:
    frames = json.loads((samples / "walk.json").read_text(encoding="utf-8"))["frames"]
    seen = good = 0
    for row, frame in zip(rows(demo[0] / "track/results.jsonl"), frames, strict=True):
        there = [o["box"] for o in frame["objects"] if o["visible"] > HIDDEN]
        for track in row["tracks"] or ():
            seen += 1
            good += any(overlap(track["box"], box) > 0.4 for box in there)
    assert seen > 600
    assert good > 0.9 * seen


def overlap(a: list[float], b: list[float]) -> float:
    """Intersection over union of two xyxy boxes."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    inside = width * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    return inside / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside)


PLAYS = """
async () => {
  const video = document.querySelector('video');
  const stop = performance.now() + 20000;
  video.muted = true;
  await video.play();
  while (video.currentTime < 1 && performance.now() < stop) await new Promise(done => setTimeout(done, 50));
  return {ready: video.readyState, width: video.videoWidth, height: video.videoHeight, duration: video.duration,
          at: video.currentTime, error: video.error && video.error.message};
}
"""


@pytest.mark.parametrize(("name", "seconds"), [("track/walk.mp4", 10), ("plates/traffic.mp4", 12)])
def test_the_videos_play_in_a_browser(demo: tuple[Path, str], name: str, seconds: float) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    video = demo[0] / name
    page_file = video.with_suffix(".html")
    page_file.write_text(f'<!doctype html><video src="{video.name}" preload="auto"></video>', encoding="utf-8")
    options = {"executable_path": chromium, "args": ["--no-sandbox", "--disable-gpu", "--no-first-run"]}
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(**options)
        page = browser.new_page()
        page.goto(page_file.as_uri())
        found = page.evaluate(PLAYS)
        browser.close()
    page_file.unlink()
    assert found["error"] is None
    assert found["ready"] >= 2  # HAVE_CURRENT_DATA
    assert (found["width"], found["height"]) == (640, 360)
    assert found["duration"] == pytest.approx(seconds, abs=0.2)
    assert found["at"] >= 1, "time advances while it plays"
