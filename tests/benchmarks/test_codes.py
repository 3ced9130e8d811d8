"""The codes that the table of numbers has read: what is drawn says what it should."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.codes import Drawing, ean13, photographed, qr


def by_opencv(pixels: np.ndarray) -> set[str]:
    return {cv2.QRCodeDetector().detectAndDecode(pixels)[0], cv2.barcode.BarcodeDetector().detectAndDecode(pixels)[0]}


@pytest.mark.parametrize("draw", [qr, ean13])
def test_a_drawn_code_says_its_text(draw: Drawing) -> None:
    made = [draw(np.random.default_rng(seed)) for seed in range(10)]
    soft = [cv2.GaussianBlur(cv2.copyMakeBorder(one, *[40] * 4, cv2.BORDER_REPLICATE), (0, 0), 1) for one, _ in made]
    assert len({text for _, text in made}) == 10
    read = [text in by_opencv(pixels) for pixels, (_, text) in zip(soft, made, strict=True)]
    assert sum(read) >= 8, "OpenCV's reader misses one now and then; a wrong drawing it would never read"


@pytest.mark.parametrize("draw", [qr, ean13])
def test_a_photograph_is_the_same_every_time_and_harder(draw: Drawing) -> None:
    pixels, text = photographed(draw, 3)
    again, same = photographed(draw, 3)
    np.testing.assert_array_equal(pixels, again)
    assert text == same == draw(np.random.default_rng(3))[1]
    assert pixels.min() >= 0
    assert pixels.std() > 15
