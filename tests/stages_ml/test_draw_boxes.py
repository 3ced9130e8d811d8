"""``draw.boxes`` by its pixels."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from visionkit.data import Annotated, Canvas, Detections, Homography, Image
from visionkit.lazy import cv2
from visionkit.stages.draw._text import Lettering
from visionkit.stages.draw.boxes import BoxesParams, DrawBoxes


def grey_image(width: int = 640, height: int = 480, canvas: Canvas | None = None) -> Image:
    return Image(np.full((height, width, 3), 100, np.uint8), canvas=canvas)


def objects_on(canvas: Canvas, boxes, **more) -> Detections:
    n = len(boxes)
    return Detections(canvas, boxes, np.full(n, 0.5), np.arange(n), tuple(f"class {i}" for i in range(n)), **more)


def drawn(image: Image, objects: Detections, **params) -> np.ndarray:
    stage = DrawBoxes(BoxesParams(**params))
    stage.open(None)
    return stage.run(image, objects).bgr()


def test_the_box_is_where_the_object_is_and_nothing_else_changes() -> None:
    image = grey_image()
    before = image.bgr().copy()
    after = drawn(image, objects_on(image.canvas, [[100, 200, 300, 400]]), label="", thickness=1, color="red")
    rows, cols = np.nonzero((after != 100).any(axis=2))
    assert (cols.min(), rows.min(), cols.max(), rows.max()) == (100, 200, 299, 399)
    assert after[200, 150].tolist() == [53, 57, 230]
    assert (after[202:398, 102:298] == 100).all()
    np.testing.assert_array_equal(image.bgr(), before)


def test_objects_are_lifted_to_the_picture() -> None:
    frame = Canvas.source(640, 480)
    crop = frame.crop(100, 50, 64, 48).resize(128, 96)
    after = drawn(grey_image(canvas=frame), objects_on(crop, [[20, 30, 60, 70]]), label="", thickness=1)
    rows, cols = np.nonzero((after != 100).any(axis=2))
    assert (cols.min(), rows.min(), cols.max(), rows.max()) == (110, 65, 129, 84)


def test_a_rotated_canvas_gives_a_rotated_frame() -> None:
    frame = Canvas.source(640, 480)
    turn = Homography(np.array([[0.8, -0.6, 200], [0.6, 0.8, 100], [0, 0, 1]]))
    found = objects_on(frame.derive(200, 200, turn), [[10, 10, 110, 60]])
    after = drawn(grey_image(canvas=frame), found, label="", thickness=1)
    corners = frame.lower(turn.forward(np.array([[10, 10], [110, 10], [110, 60], [10, 60]])))
    for x, y in corners.astype(int):
        assert (after[y - 2 : y + 3, x - 2 : x + 3] != 100).any()
    middle = corners.mean(axis=0).astype(int)
    assert (after[middle[1], middle[0]] == 100).all()


@pytest.mark.parametrize("size", [(1, 1), (20, 20), (320, 240), (3840, 2160)])
def test_labels_stay_inside_any_picture(size) -> None:
    image = grey_image(*size)
    found = objects_on(image.canvas, [[0, 0, *size], [size[0] - 1, 0, size[0] + 50, 3]])
    after = drawn(image, found)
    assert after.shape == image.bgr().shape
    assert (after != 100).any()


def test_the_label_is_rendered_row_by_row_from_columns() -> None:
    image = grey_image()
    two = objects_on(image.canvas, [[50, 100, 150, 200], [350, 100, 450, 200]], track_id=[7, 8])
    plates = two.with_columns({"plate.text": np.array(["AB 123", None], object)})
    label = "#{track_id} {plate.text|-}"
    after = drawn(image, plates, label=label, color="blue")
    left = drawn(image, plates.select([0]), label="#7 AB 123", color="blue")
    right = drawn(image, plates.select([1]), label="#8 -", color="blue")
    np.testing.assert_array_equal(after[:, :320], left[:, :320])
    np.testing.assert_array_equal(after[:, 320:], right[:, 320:])


def test_trails_follow_tracks_and_die() -> None:
    stage = DrawBoxes(BoxesParams(trail=3, label="", thickness=1))
    stage.open(None)
    image = grey_image()

    def at(x: float) -> np.ndarray:
        return stage.run(image, objects_on(image.canvas, [[x, 100, x + 20, 120]], track_id=[4])).bgr()

    first = [at(x) for x in (100, 200, 300, 400)]
    assert (first[0][110, 112:600] == 100).sum() > 1400
    assert (first[3][110, 215:395] != 100).any(axis=1).all()
    assert (first[3][110, 121:205] == 100).all(), "the way is three frames long"
    for _ in range(3):
        left = stage.run(image, Detections.empty(image.canvas))
    assert (left.bgr() == 100).all(), "a track that is gone leaves no way"
    stage.reset()
    again = [at(x) for x in (100, 200, 300, 400)]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_colours_go_by_class_or_track() -> None:
    image = grey_image()
    found = objects_on(image.canvas, [[10, 10, 60, 60], [210, 10, 260, 60]])
    same_track = Detections(**{**found.__dict__, "track_id": np.array([5, 5])})
    for objects, color, differ in [(found, "auto", True), (same_track, "auto", False), (same_track, "class", True)]:
        after = drawn(image, objects, label="", thickness=1, color=color)
        assert (after[30, 10] != after[30, 210]).any() == differ


def test_drawing_on_a_drawing() -> None:
    image = grey_image()
    stage = DrawBoxes(BoxesParams(label="", thickness=1))
    stage.open(None)
    once = stage.run(image, objects_on(image.canvas, [[10, 10, 60, 60]]))
    twice = stage.run(once, objects_on(image.canvas, [[100, 10, 160, 60]]))
    assert isinstance(twice, Annotated)
    assert (twice.bgr()[30, 10] != 100).any()
    assert (once.bgr()[30, 100] == 100).all()


@pytest.mark.parametrize("text", ["Straße", "Привет", "Ελλάδα", "你好", "日本語", "한국어", "مرحبا", "שלום"])
def test_scripts_have_letters_of_their_own(text) -> None:
    if not hasattr(cv2, "FontFace"):
        pytest.skip("this OpenCV has no fonts; what the system has is not known")
    lettering = Lettering()
    strips = []
    for line in (text, "?" * len(text)):
        strip = np.zeros((60, 400, 3), np.uint8)
        lettering.write(strip, line, 5, 5, 36, (255, 255, 255))
        strips.append(strip)
    assert (strips[0] > 0).any()
    assert (strips[0] != strips[1]).any()
    if not text.isascii():
        wide = lettering.width(text, 36)
        assert 20 < wide < 300


def test_letters_have_their_size_whatever_other_threads_write() -> None:
    letterings, text = [Lettering() for _ in range(4)], "2 Stück / 件, a long title"
    wanted = {height: Lettering().width(text, height) for height in (12, 18, 24, 31)}

    def widths(lettering: Lettering) -> list[tuple[int, int]]:
        return [(height, lettering.width(text, height)) for height in [*wanted] * 100]

    for _ in range(3):
        with ThreadPoolExecutor(4) as pool:
            found = {pair for pairs in pool.map(widths, letterings) for pair in pairs}
        assert found == set(wanted.items())
