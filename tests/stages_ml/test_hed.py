"""``edges.hed`` on real photos: the network reads Keras' file right, and sees things, not texture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visionkit.data import Image
from visionkit.errors import PipelineError, WeightsError
from visionkit.lazy import cv2
from visionkit.stage.catalogue import stages
from visionkit.weights import Catalogue

pytest.importorskip("torch")
Hed = stages().get("edges.hed")


@pytest.fixture(scope="module")
def coins(samples: Path) -> Image:
    return Image(cv2.imread(str(samples / "photos" / "coins.jpg")))


def test_contours_of_coins_and_not_their_faces(opened, coins) -> None:
    levels = opened(Hed(Hed.Params())).run([coins])[0].gray()
    assert levels.shape == (coins.height, coins.width)
    found = stages().get("hough.circles")
    circles = found(found.Params(min_radius=14, max_radius=40, min_distance=35, votes=22)).run(
        Image(cv2.medianBlur(coins.gray(), 7), "gray")
    )
    assert len(circles) == 24
    rim, face = np.zeros((2, *levels.shape), np.uint8)
    for x1, y1, x2, y2 in circles.xyxy:
        centre, radius = (round((x1 + x2) / 2), round((y1 + y2) / 2)), round((x2 - x1) / 2)
        cv2.circle(rim, centre, radius, 1, 5)
        cv2.circle(face, centre, radius // 2, 1, -1)
    assert levels[rim > 0].mean() > 90
    assert levels[rim > 0].mean() > 4 * levels[face > 0].mean()


def test_a_batch_is_its_parts_at_any_size(opened, coins) -> None:
    stage = opened(Hed(Hed.Params(size=96)))
    images = [coins, coins.crop(0, 0, 61, 33), Image(np.zeros((1, 1), np.uint8), "gray"), coins]
    for image, together in zip(images, stage.run(images), strict=True):
        assert (together.width, together.height, together.canvas) == (image.width, image.height, image.canvas)
        assert np.abs(stage.run([image])[0].gray().astype(int) - together.gray()).max() <= 1


def test_a_file_that_does_not_fit_and_weights_for_another_task(tmp_path: Path) -> None:
    from visionkit import Pipeline
    from visionkit.backends import Settings, load_model

    short = tmp_path / "short.h5"
    short.write_bytes(bytes(1000))
    with pytest.raises(WeightsError, match="does not fit the network"):
        load_model(Catalogue.load().get("hed"), (short,), Settings())
    with pytest.raises(PipelineError, match="for segment, not for edges"):
        Pipeline.from_text("stages:\n  - edges.hed: {weights: u2netp}")
