"""The synthetic pictures are what their truth says, and always the same."""

from __future__ import annotations

import numpy as np
import pytest

from visionkit.data import Detections, Field, Image
from visionkit.testing import difference, empty_of, example_of, frames
from visionkit.testing.compare import Tolerance
from visionkit.testing.values import _EMPTY, _EXAMPLES


def test_pictures_are_seeded() -> None:
    for make in (frames.noise, frames.shapes):
        assert difference(make(40, 30, seed=1), make(40, 30, seed=1)) is None
        assert difference(make(40, 30, seed=1), make(40, 30, seed=2)) is not None
        assert make(31, 1, gray=True).is_gray


def test_discs_are_where_their_boxes_are() -> None:
    for scene in frames.moving_discs(20, discs=1, seed=3):
        levels = scene.image.gray().astype(float) - 24
        ys, xs = np.mgrid[0 : scene.image.height, 0 : scene.image.width] + 0.5
        centre = (xs * levels).sum() / levels.sum(), (ys * levels).sum() / levels.sum()
        x1, y1, x2, y2 = scene.boxes[0]
        np.testing.assert_allclose(centre, [(x1 + x2) / 2, (y1 + y2) / 2], atol=0.3)
        assert min(x1, y1) >= -0.01


def test_discs_move() -> None:
    scenes = frames.moving_discs(6)
    steps = np.diff(np.stack([scene.boxes for scene in scenes]), axis=0)
    assert np.abs(steps).max() > 1


def test_written_text_is_dark_on_light() -> None:
    image = frames.written("visionkit 42")
    assert image.height == 48
    assert image.gray().min() < 40
    assert image.gray()[:4].min() == 255


def test_odd_pictures_hold_every_order_and_a_place_in_a_frame() -> None:
    odd = frames.odd()
    assert {image.order for image in odd.values()} == {"bgr", "gray", "rgb", "i420"}
    assert {(image.width, image.height) for image in odd.values()} >= {(1, 1), (31, 1), (1, 31), (53, 37)}
    part = odd["a window of a frame"]
    assert part.canvas.lift(np.zeros((1, 2))).tolist() == [[5, 4]]


@pytest.mark.parametrize("type_", _EXAMPLES, ids=lambda t: t.__name__)
def test_every_data_type_has_an_example(type_: type) -> None:
    for image in frames.odd().values():
        value = example_of(type_, image)
        assert isinstance(value, type_)
        assert difference(value, example_of(type_, image)) is None
        if type_ in _EMPTY:
            assert isinstance(empty_of(type_, image), type_)


def test_differences_are_told_with_their_place() -> None:
    image = frames.plain(8, 8)
    a = example_of(Detections, image)
    assert difference(a, a.with_columns({"score": np.array([0.9, 0.7, 0.4])})) == (
        "result.score: 0.800000011920929 and 0.699999988079071 at [1], 0 allowed"
    )
    assert difference(a, a.with_columns({"score": np.array([0.9, 0.8005, 0.4])}), Tolerance()) is None
    assert difference([a], [a, a]) == "result: 1 and 2 items"
    assert difference(image, frames.plain(8, 8, gray=True)) == "result: a grey and a colour picture"
    assert difference(image, image.replaced(image.bgr(), image.canvas.derive(8, 8, image.canvas.resize(4, 4).to_frame)))
    nan = Field(image.canvas, np.full((8, 8), np.nan, np.float32))
    assert difference(nan, Field(image.canvas, np.full((8, 8), np.nan, np.float32))) is None
    assert difference(nan, Field(image.canvas, np.zeros((8, 8), np.float32)), Tolerance()) is not None
    assert isinstance(difference(image, Image(np.ones((8, 8, 3), np.uint8))), str)
