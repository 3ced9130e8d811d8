"""``ocr.rapidocr`` on rendered text, and against the package it is named after."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from benchmarks.accuracy.text import easyocr_reader, rapidocr_engine
from visionkit.data import Image
from visionkit.errors import WeightsError
from visionkit.lazy import cv2
from visionkit.stages.ocr._lines import reading_order
from visionkit.stages.ocr.easyocr import EasyOcrParams, EasyOcrStage
from visionkit.stages.ocr.rapidocr import RapidOcr, RapidOcrParams

TEXTS = ("Invoice 2024-0815", "Page 3 of 7", "Main Street 12", "Total due: 1,234.56 EUR")


def page() -> np.ndarray:
    picture = Pillow.new("RGB", (640, 300), (245, 240, 235))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(26)
    for text, place in zip(TEXTS, [(30, 30), (450, 32), (30, 110), (30, 190)], strict=True):
        draw.text(place, text, fill=(20, 20, 60), font=font)
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])


def plate(text: str, width: int = 200) -> np.ndarray:
    picture = Pillow.new("RGB", (width, 44), (250, 250, 250))
    ImageDraw.Draw(picture).text((12, 4), text, fill=(0, 0, 0), font=ImageFont.load_default(32))
    return np.ascontiguousarray(np.asarray(picture)[..., ::-1])


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(pixels, matrix, (width, height), borderValue=(235, 240, 245))


@pytest.fixture
def reader(opened) -> RapidOcr:
    return opened(RapidOcr(RapidOcrParams(short_side=320)))


def test_reads_a_page_in_reading_order(reader) -> None:
    (found,) = reader.run([Image(page())])
    assert found.texts == TEXTS
    assert found.score > 0.9
    x1, y1 = found.polygons[1].min(axis=0)
    x2, y2 = found.polygons[1].max(axis=0)
    assert 440 <= x1 <= 455
    assert 20 <= y1 <= 42
    assert 575 <= x2 <= 600
    assert 52 <= y2 <= 75


def test_reads_tilted_and_upside_down(reader) -> None:
    tilted, flipped = reader.run([Image(turned(page(), 7)), Image(cv2.rotate(page(), cv2.ROTATE_180))])
    assert set(tilted.texts) == set(TEXTS)
    assert set(flipped.texts) == set(TEXTS)
    edge = tilted.polygons[0][1] - tilted.polygons[0][0]
    assert np.degrees(np.arctan2(-edge[1], edge[0])) == pytest.approx(7, abs=1.5)


def test_equals_the_package_called_by_hand(opened) -> None:
    pytest.importorskip("rapidocr")
    engine = rapidocr_engine()
    stage = opened(RapidOcr(RapidOcrParams()))
    for pixels in (page(), turned(page(), -5)):
        wanted = engine(pixels)
        (found,) = stage.run([Image(pixels)])
        assert set(found.texts) == set(wanted.txts)
        for text, polygon in zip(found.texts, found.polygons, strict=True):
            theirs = np.asarray(wanted.boxes)[wanted.txts.index(text)]
            np.testing.assert_allclose(polygon, theirs, atol=2.5)  # theirs are rounded to whole pixels twice
    lines = [
        plate(text, width) for text, width in [("B-MW 123", 200), ("KA 01 AB 1234", 260), ("7", 40), ("A" * 40, 900)]
    ]
    reading = opened(RapidOcr(RapidOcrParams(mode="recognize", min_score=0.0))).run([Image(line) for line in lines])
    for line, found in zip(lines, reading, strict=True):
        wanted = engine(line, use_det=False)
        assert found.texts == tuple(wanted.txts)
        assert found.score == pytest.approx(wanted.scores[0], abs=0.03)


def test_recognises_crops_in_one_batch(opened, monkeypatch) -> None:
    stage = opened(RapidOcr(RapidOcrParams(mode="recognize")))
    texts = ["B-MW 123", "KX-4711", "HH-901", "M-XY 55"]
    images = [Image(plate(text)) for text in texts]
    calls: list[tuple[str, int]] = []
    run = stage._networks._networks.run
    monkeypatch.setattr(
        stage._networks._networks, "run", lambda part, planes: calls.append((part, len(planes))) or run(part, planes)
    )
    together = stage.run(images)
    assert [found.text for found in together] == texts
    assert [count for _, count in calls] == [4, 4], "one call of each network for all crops"
    for image, found in zip(images, together, strict=True):
        (alone,) = stage.run([image])
        assert alone.texts == found.texts
        np.testing.assert_allclose(alone.scores, found.scores, atol=1e-3)
        np.testing.assert_array_equal(found.polygons[0], [[0, 0], [200, 0], [200, 44], [0, 44]])


@pytest.mark.parametrize("mode", ["read", "recognize"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (500, 3), (40, 40)])
def test_pictures_without_text(opened, mode, shape) -> None:
    stage = opened(RapidOcr(RapidOcrParams(mode=mode, short_side=64)))
    grey = Image(np.full(shape, 128, np.uint8), "gray")
    found = stage.run([grey, grey])
    assert [len(lines) for lines in found] == [0, 0]
    assert found[0].text is None
    assert stage.run([]) == []


def test_reading_order_is_rows_then_columns() -> None:
    def box(x, y, w=40, h=10):
        return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]]

    boxes = np.array([box(100, 3), box(0, 31), box(0, 0), box(50, 28), box(0, 60)], float)
    assert reading_order(boxes) == [2, 0, 1, 3, 4]


@pytest.fixture(scope="module")
def library(models):
    """EasyOCR as its own users call it."""
    pytest.importorskip("easyocr")
    try:
        return easyocr_reader(models)
    except WeightsError:
        pytest.skip("the weights easyocr_en are not on this machine and cannot be fetched")


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_easyocr_reads_what_the_library_reads(opened, library) -> None:
    stage = opened(EasyOcrStage(EasyOcrParams(min_score=0.0)))
    pixels = turned(page(), -12)[:220, :330].copy()
    wanted = {text: (box, score) for box, text, score in library.readtext(pixels)}
    (found,) = stage.run([Image(pixels)])
    assert set(found.texts) == set(wanted)
    assert len(wanted) >= 2
    for text, score, polygon in zip(found.texts, found.scores, found.polygons, strict=True):
        np.testing.assert_allclose(polygon, wanted[text][0], atol=0.01)
        assert score == pytest.approx(wanted[text][1], abs=1e-3)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_easyocr_recognises_crops_as_the_library_does(opened, library) -> None:
    lines = [plate(text, width) for text, width in [("B-MW 123", 200), ("HH-901", 200), ("7", 44)]]
    reading = opened(EasyOcrStage(EasyOcrParams(mode="recognize", min_score=0.0))).run([Image(line) for line in lines])
    for line, found in zip(lines, reading, strict=True):
        ((_, text, score),) = library.recognize(line)
        assert found.text == text
        assert found.score == pytest.approx(score, abs=1e-3)


@pytest.mark.parametrize("mode", ["read", "recognize"])
def test_easyocr_on_pictures_without_text(opened, mode) -> None:
    pytest.importorskip("easyocr")
    stage = opened(EasyOcrStage(EasyOcrParams(mode=mode)))
    pictures = [Image(np.full(shape, 128, np.uint8), "gray") for shape in [(1, 1), (3, 400), (400, 9), (40, 40)]]
    assert [len(found) for found in stage.run(pictures)] == [0, 0, 0, 0]
    assert stage.run([]) == []


def test_easyocr_without_a_recogniser_for_the_language(opened) -> None:
    pytest.importorskip("easyocr")
    with pytest.raises(WeightsError, match="no recogniser for ja"):
        opened(EasyOcrStage(EasyOcrParams(languages=("ja",))))
