"""Geometry stages, one by one: the pixels against a direct call, the map against known points."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from visionkit.data import ABSENT, Canvas, Detections, Image
from visionkit.errors import DataError
from visionkit.stage.catalogue import stages

LENS = {"camera": (60.0, 60.0, 30.0, 22.0), "distortion": (-0.25, 0.05, 0.002, -0.001)}


def picture(width: int = 60, height: int = 44, gray: bool = False) -> Image:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image(np.ascontiguousarray(noise[..., 0]), "gray") if gray else Image(noise)


def made(name: str, **params: Any) -> Any:
    stage_class = stages().get(name)
    stage = stage_class(stage_class.Params(**params))
    stage.open(SimpleNamespace(stage_id=name, device="cpu", seed=0))
    return stage


def apply(name: str, image: Image, **params: Any) -> Any:
    return made(name, **params).run(image)


def lifted(image: Image, *points: tuple[float, float]) -> Any:
    return image.canvas.lift(np.array(points, np.float64)).tolist()


def boxes(canvas: Canvas, *rows: tuple[float, ...], scores: Any = None, **more: Any) -> Detections:
    n = len(rows)
    return Detections(
        canvas, np.array(rows).reshape(n, 4), np.full(n, 0.5) if scores is None else scores, np.zeros(n), **more
    )


# resize


@pytest.mark.parametrize(
    ("params", "size"),
    [
        ({"width": 30}, (30, 22)),
        ({"height": 88}, (120, 88)),
        ({"width": 50, "height": 50}, (50, 50)),
        ({"width": 50, "height": 50, "fit": "inside"}, (50, 37)),
        ({"width": 50, "height": 50, "fit": "cover"}, (68, 50)),
        ({"scale": 0.5}, (30, 22)),
        ({"scale": 0.001}, (1, 1)),
        ({"width": 240, "shrink_only": True}, (60, 44)),
        ({"width": 30, "height": 60, "fit": "inside", "shrink_only": True}, (30, 22)),
    ],
)
def test_resize_sizes(params: dict[str, Any], size: tuple[int, int]) -> None:
    result = apply("resize", picture(), **params)
    assert (result.width, result.height) == size
    np.testing.assert_allclose(lifted(result, (0, 0), size), [[0, 0], [60, 44]], atol=1e-9)


def test_resize_pixels_are_opencvs() -> None:
    image = picture()
    direct = {
        ("auto", 30): cv2.INTER_AREA,
        ("auto", 90): cv2.INTER_LINEAR,
        ("linear", 30): cv2.INTER_LINEAR,
        ("cubic", 90): cv2.INTER_CUBIC,
        ("lanczos", 90): cv2.INTER_LANCZOS4,
        ("nearest", 45): cv2.INTER_NEAREST_EXACT,
        ("area", 45): cv2.INTER_AREA,
    }
    for (how, width), flag in direct.items():
        result = apply("resize", image, width=width, interpolation=how)
        height = round(44 * width / 60)
        np.testing.assert_array_equal(result.bgr(), cv2.resize(image.bgr(), (width, height), interpolation=flag))
    assert apply("resize", image, width=60) is image


@pytest.mark.parametrize("params", [{}, {"width": 3, "scale": 2.0}, {"scale": 0}, {"width": 0}])
def test_resize_needs_one_way_to_say_the_size(params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        apply("resize", picture(), **params)


# letterbox, pad, flip


def test_letterbox() -> None:
    image = picture(60, 44)
    result = apply("letterbox", image, width=32, height=64, color="#ff0000")
    inner = cv2.resize(image.bgr(), (32, 23), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(result.bgr()[20:43], inner)
    assert (result.bgr()[:20] == (0, 0, 255)).all()
    assert (result.bgr()[43:] == (0, 0, 255)).all()
    np.testing.assert_allclose(lifted(result, (0, 20), (32, 43)), [[0, 0], [60, 44]], atol=1e-9)
    np.testing.assert_allclose(image.canvas.transfer(np.array([[60.0, 44.0]]), result.canvas), [[32, 43]], atol=1e-9)


@pytest.mark.parametrize(
    ("border", "flag"),
    [("color", cv2.BORDER_CONSTANT), ("repeat", cv2.BORDER_REPLICATE), ("mirror", cv2.BORDER_REFLECT_101)],
)
def test_pad(border: str, flag: int) -> None:
    image = picture()
    result = apply("pad", image, left=3, top=5, all=1, multiple_of=32, border=border, color=[10, 20, 30])
    assert (result.width, result.height) == (96, 64)
    direct = cv2.copyMakeBorder(image.bgr(), 6, 64 - 50, 4, 96 - 64, flag, value=(30, 20, 10))
    np.testing.assert_array_equal(result.bgr(), direct)
    assert lifted(result, (4, 6)) == [[0, 0]]
    assert apply("pad", image) is image


@pytest.mark.parametrize(
    ("direction", "place", "axes"), [("horizontal", [52, 7], 1), ("vertical", [8, 37], 0), ("both", [52, 37], (0, 1))]
)
def test_flip(direction: str, place: list[float], axes: Any) -> None:
    image = picture()
    result = apply("flip", image, direction=direction)
    np.testing.assert_array_equal(result.bgr(), np.flip(image.bgr(), axes))
    assert lifted(result, (8, 7)) == [place]
    box = boxes(result.canvas, (0, 0, 8, 7)).lifted().xyxy[0]
    assert box[2] > box[0]
    assert box[3] > box[1]


# crop


@pytest.mark.parametrize(
    ("params", "window"),
    [
        ({"x": 10, "y": 4, "width": 20, "height": 8}, (10, 4, 20, 8)),
        ({"x": 0.5, "y": 0.25, "width": 0.5, "height": 0.5}, (30, 11, 30, 22)),
        ({"width": 20, "height": 20}, (20, 12, 20, 20)),
        ({"x": 50, "width": 100}, (50, 0, 10, 44)),
        ({"width": 1.0, "height": 1}, (0, 21, 60, 1)),
        ({"x": 0, "y": 0, "width": 0.0, "height": 500}, (0, 0, 1, 44)),
    ],
)
def test_crop_to_a_window(params: dict[str, Any], window: tuple[int, int, int, int]) -> None:
    image = picture()
    result = apply("crop", image, **params)
    x, y, width, height = window
    np.testing.assert_array_equal(result.bgr(), image.bgr()[y : y + height, x : x + width])
    assert lifted(result, (0, 0)) == [[x, y]]


def test_crop_refuses_a_window_outside() -> None:
    with pytest.raises(DataError, match="begins at x = 70, but the picture has 60 pixels"):
        apply("crop", picture(), x=70)
    with pytest.raises(ValidationError, match=r"fraction from 0\.0 to 1\.0"):
        apply("crop", picture(), x=1.5)
    with pytest.raises(ValidationError, match="must not be negative"):
        apply("crop", picture(), x=-3)


def test_crop_to_the_best_box() -> None:
    image = picture()
    found = boxes(image.canvas, (0, 0, 40, 40), (10.5, 5.5, 20, 15), scores=[0.3, 0.9])
    result = made("crop").run(image, found)
    np.testing.assert_array_equal(result.bgr(), image.bgr()[5:15, 10:20])
    padded = made("crop", pad=0.5).run(image, found)
    np.testing.assert_array_equal(padded.bgr(), image.bgr()[0:20, 5:25])
    assert made("crop", which="largest").run(image, found).canvas.size == (40, 40)


def test_crop_without_a_box_is_absent() -> None:
    image = picture()
    assert made("crop").run(image, Detections.empty(image.canvas)) is ABSENT
    assert made("crop").run(image, None) is ABSENT
    assert made("crop").run(image, boxes(image.canvas, (-20, 0, -10, 9))) is ABSENT


def test_crop_takes_boxes_found_on_another_picture_of_the_frame() -> None:
    image = picture()
    small = apply("resize", image, width=30)
    result = made("crop").run(image, boxes(small.canvas, (5, 5, 10, 10)))
    np.testing.assert_array_equal(result.bgr(), image.bgr()[10:20, 10:20])


def test_crop_straightens_a_rotated_box() -> None:
    upright = np.zeros((60, 80, 3), np.uint8)
    upright[20:40, 20:60] = (40, 90, 200)
    image = Image(upright)
    turned = apply("rotate", image, angle=30)
    box = boxes(image.canvas, (20, 20, 60, 40)).on(turned.canvas)
    result = made("crop").run(turned, box)
    assert (result.width, result.height) == (40, 20)
    assert np.abs(result.bgr()[2:-2, 2:-2].astype(int) - (40, 90, 200)).max() <= 2
    np.testing.assert_allclose(lifted(result, (0, 0), (40, 20)), [[20, 20], [60, 40]], atol=1e-3)
    hull = made("crop", straighten=False).run(turned, box)
    assert hull.width > 40


# rotate, warp


@pytest.mark.parametrize("angle", [0, 90, 180, 270, -90, 360, -270])
@pytest.mark.parametrize("gray", [False, True])
def test_quarter_turns_copy_pixels(angle: int, gray: bool) -> None:
    image = picture(gray=gray)
    result = apply("rotate", image, angle=angle)
    np.testing.assert_array_equal(result.native(), np.rot90(image.native(), angle // 90))
    x, y = lifted(result, (3.5, 2.5))[0]
    np.testing.assert_array_equal(image.native()[int(y), int(x)], result.native()[2, 3])
    assert (x % 1, y % 1) == (0.5, 0.5)


def test_rotate_by_any_angle_is_opencvs() -> None:
    image = picture()
    result = apply("rotate", image, angle=17, expand=False)
    matrix = cv2.getRotationMatrix2D((29.5, 21.5), 17, 1.0)  # cv2 counts from the middle of the first pixel
    direct = cv2.warpAffine(image.bgr(), matrix, (60, 44))
    difference = np.abs(result.bgr().astype(int) - direct.astype(int))
    assert np.percentile(difference, 99) <= 8  # cv2 rounds weights to 1/32 in both, not alike
    assert difference.mean() < 1.5


def test_rotate_keeps_all_when_it_expands() -> None:
    result = apply("rotate", picture(), angle=45)
    assert result.canvas.size == (74, 74)
    corners = result.canvas.lower(np.array([[0, 0], [60, 0], [60, 44], [0, 44]], float))
    assert corners.min() >= -1e-6
    assert corners.max() <= 74
    np.testing.assert_allclose(lifted(result, (37, 37)), [[30, 22]])


def test_warp_of_the_whole_picture_changes_nothing() -> None:
    image = picture()
    result = apply("warp", image)
    np.testing.assert_array_equal(result.bgr(), image.bgr())
    np.testing.assert_allclose(lifted(result, (0, 0), (60, 44)), [[0, 0], [60, 44]], atol=1e-4)


def test_warp_takes_points_to_corners() -> None:
    image = picture()
    points = [[10, 5], [50, 8], [55, 40], [0.1, 0.8]]
    result = apply("warp", image, points=points, width=30, height=20)
    expected = [[10, 5], [50, 8], [55, 40], [6, 35.2]]
    np.testing.assert_allclose(lifted(result, (0, 0), (30, 0), (30, 20), (0, 20)), expected, atol=1e-3)
    assert apply("warp", image, points=points).canvas.size == (49, 32)


@pytest.mark.parametrize(
    "points",
    [
        [[0, 0], [0, 40], [40, 40], [40, 0]],
        [[0, 0], [20, 20], [40, 40], [0, 40]],
        [[0, 0], [40, 40], [40, 0], [0, 40]],
        [[5, 5], [5, 5], [5, 5], [5, 5]],
    ],
    ids=["counter-clockwise", "three on a line", "crossed", "one point"],
)
def test_warp_refuses_points_that_are_no_convex_shape(points: Any) -> None:
    with pytest.raises(DataError, match="convex shape clockwise"):
        apply("warp", picture(), points=points)


# undistort, elastic


def test_undistort_is_opencvs() -> None:
    image = picture()
    result = apply("undistort", image, **LENS)
    matrix = np.array([[60, 0, 30], [0, 60, 22], [0, 0, 1.0]])
    maps = cv2.initUndistortRectifyMap(matrix, np.array(LENS["distortion"]), None, matrix, (60, 44), cv2.CV_32FC1)
    direct = cv2.remap(image.bgr(), maps[0], maps[1], cv2.INTER_LINEAR)
    assert np.abs(result.bgr().astype(int) - direct.astype(int)).max() <= 6  # weights are rounded to 1/32
    assert (result.bgr() == direct).mean() > 0.99


def test_undistort_without_distortion_changes_nothing() -> None:
    image = picture()
    result = apply("undistort", image, camera=LENS["camera"], distortion=(0, 0, 0, 0))
    np.testing.assert_array_equal(result.bgr(), image.bgr())


def test_undistort_scales_its_calibration() -> None:
    """The lens that was calibrated at 60×44 gives the same map in proportion at 120×88."""
    once = apply("undistort", picture(60, 44), **LENS)
    twice = apply("undistort", picture(120, 88), calibrated=(60, 44), **LENS)
    np.testing.assert_allclose(
        np.array(lifted(twice, (20, 16), (100, 70))) / 2, lifted(once, (10, 8), (50, 35)), atol=1e-6
    )


@pytest.mark.parametrize("keep", [None, 0.0, 1.0])
def test_undistort_goes_both_ways(keep: float | None) -> None:
    result = apply("undistort", picture(), keep=keep, **LENS)
    points = np.random.default_rng(0).uniform((0, 0), (60, 44), (200, 2))
    back = result.canvas.lower(result.canvas.lift(points))
    np.testing.assert_allclose(back, points, atol=1e-4)
    assert result.canvas.lift(np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"distortion": (0.1, 0.2)}, "4, 5, 8 or 12"), ({"camera": (0, 60, 30, 22)}, "focal lengths are above 0")],
)
def test_undistort_says_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        apply("undistort", picture(), **{**LENS, **changes})


@pytest.mark.parametrize("size", [(60, 44), (200, 150), (5, 3), (2, 1), (1, 1)])
def test_elastic_goes_both_ways_and_does_not_fold(size: tuple[int, int]) -> None:
    result = apply("elastic", picture(*size), amplitude=8, smoothness=16, seed=3)
    points = np.random.default_rng(0).uniform((-5, -5), (size[0] + 5, size[1] + 5), (300, 2))
    np.testing.assert_allclose(result.canvas.lower(result.canvas.lift(points)), points, atol=1e-4)


def test_elastic_moves_as_far_as_it_was_told_and_by_its_seed() -> None:
    image = picture(200, 150)
    result = apply("elastic", image, amplitude=5, smoothness=40, seed=3)
    ys, xs = np.mgrid[0:150, 0:200] + 0.5
    points = np.stack([xs.ravel(), ys.ravel()], axis=1)
    moved = np.linalg.norm(result.canvas.lift(points) - points, axis=1)
    assert 4.9 < moved.max() < 5.1
    again = apply("elastic", image, amplitude=5, smoothness=40, seed=3)
    np.testing.assert_array_equal(result.bgr(), again.bgr())
    other = apply("elastic", image, amplitude=5, smoothness=40, seed=4)
    assert (result.bgr() != other.bgr()).any()


# tile


@pytest.mark.parametrize("size", [(640, 480), (641, 100), (1920, 1080), (50, 50), (1, 1)])
@pytest.mark.parametrize("overlap", [0.0, 0.2, 0.5])
def test_tiles_cover_the_picture(size: tuple[int, int], overlap: float) -> None:
    image = Image(np.zeros((size[1], size[0]), np.uint8), "gray")
    tiles = apply("tile", image, width=320, height=256, overlap=overlap)
    covered = np.zeros((size[1], size[0]), bool)
    for x1, y1, x2, y2 in tiles.xyxy.astype(int):
        assert (x2 - x1, y2 - y1) == (min(320, size[0]), min(256, size[1]))
        covered[y1:y2, x1:x2] = True
    assert covered.all()
    assert set(tiles.class_name) == {"tile"}
    starts = np.unique(tiles.xyxy[:, 0])
    assert (np.diff(starts) <= 320 * (1 - overlap) + 1).all()
