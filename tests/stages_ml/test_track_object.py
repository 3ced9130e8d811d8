"""``track.object`` on a thing that moves."""

from __future__ import annotations

import numpy as np
import pytest

from visionkit.data import Canvas, Detections, Image
from visionkit.data.geometry import iou
from visionkit.lazy import cv2
from visionkit.stages.track.object import TrackObject, TrackObjectParams

FRAME = Canvas.source(200, 150)


def frame(t: int) -> tuple[Image, list[float]]:
    """A textured square on a noisy ground, and its box."""
    rng = np.random.default_rng(0)
    pixels = cv2.blur(rng.integers(60, 120, (150, 200, 3), dtype=np.uint8), (5, 5))
    square = rng.integers(100, 255, (30, 30, 3), dtype=np.uint8)
    x, y = 20 + 4 * t, 30 + 2 * t
    pixels[y : y + 30, x : x + 30] = square
    return Image(pixels, canvas=FRAME), [x, y, x + 30, y + 30]


@pytest.fixture
def stage() -> TrackObject:
    made = TrackObject(TrackObjectParams(box=(20, 30, 50, 60), name="square"))
    made.open(None)
    return made


def test_follows_the_box(stage) -> None:
    for t in range(15):
        image, box = frame(t)
        found = stage.run(image, None)
        assert found.track_id.tolist() == [1]
        assert found.columns["age"].tolist() == [t]
        assert found.class_name.tolist() == ["square"]
        np.testing.assert_allclose(found.xyxy, [box], atol=1.5)


def test_it_grows_with_the_thing() -> None:
    texture = np.random.default_rng(1).integers(60, 255, (40, 40), dtype=np.uint8)
    stage = TrackObject(TrackObjectParams(box=(80, 55, 120, 95)))
    stage.open(None)
    for t in range(10):
        side = 40 + 4 * t
        pixels = np.full((150, 200), 90, np.uint8)
        x, y = 100 - side // 2, 75 - side // 2
        pixels[y : y + side, x : x + side] = cv2.resize(cv2.blur(texture, (3, 3)), (side, side))
        found = stage.run(Image(pixels, "gray", FRAME), None)
        np.testing.assert_allclose(found.xyxy, [[x, y, x + side, y + side]], atol=3)


def test_a_thing_that_is_gone_is_lost_and_found_again(stage) -> None:
    for t in range(3):
        stage.run(frame(t)[0], None)
    other = Image(np.random.default_rng(9).integers(0, 255, (150, 200, 3), dtype=np.uint8), canvas=FRAME)
    assert len(stage.run(other, None)) == 0
    image, box = frame(5)
    assert len(stage.run(image, None)) == 0
    found = stage.run(image, Detections(FRAME, [box], [0.7], [0], ("square",)))
    assert found.track_id.tolist() == [2], "it may be another thing"
    assert found.columns["age"].tolist() == [0]


def test_reset_begins_again(stage) -> None:
    first = [stage.run(frame(t)[0], None).xyxy.tolist() for t in range(3)]
    stage.reset()
    assert [stage.run(frame(t)[0], None).xyxy.tolist() for t in range(3)] == first


def test_the_best_object_found_first() -> None:
    stage = TrackObject(TrackObjectParams())
    stage.open(None)
    image, box = frame(0)
    assert len(stage.run(image, None)) == 0
    assert len(stage.run(image, Detections.empty(FRAME))) == 0
    two = Detections(FRAME, [[100, 10, 130, 40], box], [0.3, 0.8], [0, 1], ("dog", "cat"))
    found = stage.run(image, two)
    assert found.class_name.tolist() == ["cat"]
    assert found.score.tolist() == pytest.approx([0.8])
    moved, box = frame(1)
    found = stage.run(moved, Detections.empty(FRAME))
    assert iou(found.xyxy, np.array([box]))[0, 0] > 0.6
