"""The page in a real browser: pictures move, sliders act, stages open, files keep their comments."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from tests.page.conftest import Live, wait_for

TEXT = """\
# Brighter, then edges.        (all of this stays)
version: 1
description: Two sources, one pipeline.
vars: {amount: 0}              # the only variable

stages:
  - filter.brightness: {id: bright, add: $amount}   # from vars
  - filter.blur:
      size: 3      # odd

  - draw.title: {text: 'still {image.width}'}
"""

FOCUSED = """(() => {
  const node = document.activeElement;
  return node.closest('[data-name]')?.dataset.name ?? node.className.baseVal ?? node.className;
})()"""


@pytest.fixture(scope="module")
def page_of_two(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Iterator[Live]:
    """A video and a photo side by side."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "p.yaml").write_text(TEXT)
    photo = cv2.resize(cv2.imread(str(samples / "photos" / "coffee.jpg")), (320, 240))
    cv2.imwrite(str(folder / "photo.png"), photo)
    page = Live(folder, "p.yaml", samples / "walk.mp4", "photo.png", "--fps", 10).up()
    yield page
    page.stop()


@pytest.fixture
def open_page(browser: Any, page_of_two: Live) -> Iterator[Callable[..., Any]]:
    """Opens tabs, each in a browser of its own; nothing may go wrong in their scripts."""
    contexts, wrong = [], []

    def open_tab(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        tab = context.new_page()
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        tab.goto(page_of_two.url)
        tab.wait_for_selector(".tile:nth-child(2) img")
        wait_for(lambda: shown(tab, 0).std() > 5 and shown(tab, 1).std() > 5, 15)
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    (page_of_two.folder / "p.yaml").write_text(TEXT)
    page_of_two.ask("/api/revert", {})
    assert wrong == []


def shown(tab: Any, tile: int) -> Any:
    """The pixels of a tile as the browser paints them."""
    data = tab.locator(".tile .frame").nth(tile).screenshot()
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(float)


def slide(tab: Any, field: str, value: float) -> None:
    """Moves a slider as a hand does: the script hears of it by its events."""
    tab.locator(f".field[data-name={field}] input[type=range]").evaluate(
        "(node, value) => { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }", value
    )


def test_the_picture_moves_and_the_photo_stands_still(open_page: Callable[..., Any]) -> None:
    tab = open_page()
    first = shown(tab, 0), shown(tab, 1)
    wait_for(lambda: np.abs(shown(tab, 0) - first[0]).mean() > 1, 10)
    assert np.abs(shown(tab, 1) - first[1]).mean() < 1
    assert tab.locator("#health").inner_text().endswith("fps")


def test_the_graph_shows_what_every_stage_costs(open_page: Callable[..., Any]) -> None:
    tab = open_page()
    boxes = tab.locator("#graph .box")
    assert [box.get_attribute("data-id") for box in boxes.all()] == [
        *("source", "bright", "filter_blur", "draw_title", "output:live")
    ]
    assert tab.locator("#graph .wire").count() >= 4
    for box in boxes.all():
        ms, fps = box.locator(".time").all()
        wait_for(lambda ms=ms: re.fullmatch(r"\d+\.\d+ ms", ms.text_content()), 5)
        wait_for(lambda fps=fps: re.fullmatch(r"\d+\.\d fps", fps.text_content()), 5)
    assert tab.locator("details[data-stage=bright] .cost").text_content().endswith(" ms")


def test_a_slider_changes_the_picture(open_page: Callable[..., Any]) -> None:
    tab = open_page()
    for value in (60, -60):
        before = shown(tab, 1).mean()
        slide(tab, "add", value)
        wait_for(lambda old=before: abs(shown(tab, 1).mean() - old) > 25, 10)


def test_a_click_or_a_key_shows_what_a_stage_sees(open_page: Callable[..., Any]) -> None:
    tab = open_page()
    slide(tab, "add", 120)
    wait_for(lambda: shown(tab, 1).mean() > 180, 10)
    bright = shown(tab, 1).mean()
    tab.locator("#graph .box", has_text="source").first.click()
    wait_for(lambda: bright - shown(tab, 1).mean() > 40, 10)
    assert tab.locator("#showing").inner_text() == "the untouched frame"
    tab.keyboard.press("Escape")
    wait_for(lambda: abs(shown(tab, 1).mean() - bright) < 5, 10)
    tab.locator("#graph .box", has_text="bright").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#showing").inner_text() == "bright"
    assert tab.locator("#graph .box.chosen").count() == 1


def test_saving_keeps_every_comment(open_page: Callable[..., Any], page_of_two: Live) -> None:
    tab = open_page()
    file = page_of_two.folder / "p.yaml"
    assert tab.locator("#save").is_disabled()
    slide(tab, "add", 25)
    slide(tab, "size", 9)
    wait_for(lambda: tab.locator("#save").is_enabled(), 10)
    assert file.read_text() == TEXT, "nothing is written before Save"
    tab.locator("#save").click()
    wait_for(lambda: file.read_text() != TEXT, 10)
    assert file.read_text() == TEXT.replace("amount: 0", "amount: 25").replace("size: 3 ", "size: 9 ")
    wait_for(lambda: tab.locator("#save").is_disabled(), 10)


def test_a_wrong_value_is_told_as_in_the_terminal(open_page: Callable[..., Any]) -> None:
    tab = open_page()
    number = tab.locator(".field[data-name=size] input[type=number]")
    number.fill("8")
    number.press("Tab")
    wrong = tab.locator(".field[data-name=size] .wrong")
    wait_for(lambda: wrong.is_visible(), 10)
    assert "VK112  filter.blur.size" in wrong.inner_text()
    assert "p.yaml:9:13" in wrong.inner_text()
    assert "use 7 or 9" in wrong.inner_text()
    number.fill("7")
    number.press("Tab")
    wait_for(lambda: not wrong.is_visible(), 10)


def test_a_file_saved_in_an_editor_takes_over_and_a_broken_one_is_shown(
    open_page: Callable[..., Any], page_of_two: Live
) -> None:
    tab = open_page()
    file = page_of_two.folder / "p.yaml"
    file.write_text(TEXT.replace("filter.blur", "filter.blurr"))
    wait_for(lambda: tab.locator("#problems").is_visible(), 10)
    assert "VK110" in tab.locator("#problems").inner_text()
    assert "did you mean 'filter.blur'" in tab.locator("#problems").inner_text()
    file.write_text(TEXT.replace("filter.blur:", "filter.median:"))
    wait_for(lambda: tab.locator("details[data-stage=filter_median]").count(), 10)
    wait_for(lambda: not tab.locator("#problems").is_visible(), 10)


def test_a_second_viewer_sees_what_the_first_one_sets(open_page: Callable[..., Any]) -> None:
    first, second = open_page(), open_page()
    slide(first, "add", 77)
    wait_for(lambda: second.locator(".field[data-name=add] input[type=number]").input_value() == "77", 10)
    wait_for(lambda: np.abs(shown(first, 1) - shown(second, 1)).mean() < 2, 10)


def test_snapshot_and_recording(open_page: Callable[..., Any], page_of_two: Live) -> None:
    tab = open_page()
    with tab.expect_download() as download:
        tab.locator(".tile").nth(1).locator(".snapshot").click()
    kept = cv2.imread(str(download.value.path()))
    assert kept.shape == (240, 320, 3)
    record = tab.locator(".tile").first.locator(".record")
    record.click()
    wait_for(lambda: record.get_attribute("aria-pressed") == "true", 10)
    time.sleep(1.5)
    record.click()
    wait_for(lambda: tab.locator("#recordings a").count() == 1, 15)
    with tab.expect_download() as download:
        tab.locator("#recordings a").click()
    with av.open(str(download.value.path())) as video:
        frames = [frame.time for frame in video.decode(video=0)]
    assert len(frames) > 10
    assert 1.0 < frames[-1] - frames[0] < 6
    assert len(list((page_of_two.folder / "live" / "recordings").iterdir())) == 1


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
def test_it_fits_a_phone_and_the_dark(open_page: Callable[..., Any], width: int, scheme: str) -> None:
    tab = open_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    color = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, color[4:-1].split(","))) < 200) == (scheme == "dark")
    small = (
        "[...document.querySelectorAll('button, .button, input, select')].filter(n => n.offsetParent && !n.disabled)"
    )
    unnamed = f"{small}.filter(n => !(n.innerText || n.ariaLabel || n.labels?.length)).length"
    assert tab.evaluate(unnamed) == 0, "everything one can use has a name"


@pytest.mark.parametrize("width", [390, 1280])
def test_a_large_picture_stays_in_sight_while_one_scrolls(open_page: Callable[..., Any], width: int) -> None:
    tab = open_page(viewport={"width": width, "height": 844})
    tab.locator(".tile").first.locator(".enlarge").click()
    tab.locator(".field").last.scroll_into_view_if_needed()
    tab.mouse.wheel(0, 2000)
    picture = tab.locator(".tile .frame").first
    wait_for(lambda: tab.evaluate("scrollY") > 50, 5)
    box = picture.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] < 844


def test_it_is_usable_by_keyboard_alone(open_page: Callable[..., Any]) -> None:
    tab = open_page()
    reached = set()
    wanted = ("add", "size", "box", "record", "snapshot")
    for _ in range(60):
        tab.keyboard.press("Tab")
        reached.add(tab.evaluate(FOCUSED))
        if all(any(name in found for found in reached) for name in wanted):
            return
    raise AssertionError(f"not reached: {set(wanted) - reached}")
