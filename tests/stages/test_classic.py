"""Classic stages on scenes whose truth is known, and against the direct OpenCV call."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from visionkit.data import ABSENT, Canvas, Field, Image
from visionkit.stage.catalogue import stages
from visionkit.stages.classic._codes import codes
from visionkit.testing import difference, frames


def made(name: str, /, **params: Any) -> Any:
    stage_class = stages().get(name)
    stage = stage_class(stage_class.Params(**params))
    stage.open(SimpleNamespace(stage_id=name, device="cpu", seed=0))
    return stage


def apply(name: str, image: Image, /, **params: Any) -> Any:
    return made(name, **params).run(image)


def mask(*rectangles: tuple[int, int, int, int], size: tuple[int, int] = (100, 80)) -> Image:
    """White rectangles (x, y, width, height) on black."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    for x, y, width, height in rectangles:
        pixels[y : y + height, x : x + width] = 255
    return Image(pixels, "gray")


# contours


def test_contours_are_largest_first_with_their_boxes() -> None:
    found = apply("contours", mask((5, 5, 10, 8), (40, 20, 30, 40), (80, 70, 2, 2)))
    assert found.xyxy.tolist() == [[40, 20, 70, 60], [5, 5, 15, 13]]
    np.testing.assert_allclose(found.columns["area"], [29 * 39, 9 * 7])  # through the middles of the border pixels
    np.testing.assert_allclose(found.columns["perimeter"], [2 * (29 + 39), 2 * (9 + 7)])
    assert found.polygons[1].tolist() == [[5.5, 5.5], [5.5, 12.5], [14.5, 12.5], [14.5, 5.5]]
    assert set(found.class_name) == {"contour"}


def test_contours_choose() -> None:
    image = mask((5, 5, 10, 8), (40, 20, 30, 40), (80, 70, 2, 2))
    assert len(apply("contours", image, min_area=0)) == 3
    assert len(apply("contours", image, top_k=1)) == 1
    assert apply("contours", image, max_area=100).xyxy.tolist() == [[5, 5, 15, 13]]
    assert apply("contours", image, name="thing").class_names == ("thing",)
    gray = Image(np.where(image.gray() > 0, 100, 20).astype(np.uint8), "gray")
    assert len(apply("contours", gray)) == 0
    assert len(apply("contours", gray, level=60)) == 2


def test_contours_with_holes_and_fewer_points() -> None:
    ring = np.zeros((100, 100), np.uint8)
    cv2.circle(ring, (50, 50), 40, 255, 8)
    image = Image(ring, "gray")
    assert len(apply("contours", image)) == 1
    assert len(apply("contours", image, holes=True)) == 2
    rough = apply("contours", image, simplify=0.02)
    assert len(rough.polygons[0]) < len(apply("contours", image).polygons[0]) / 3


def test_contours_measure_in_pixels_of_the_frame() -> None:
    image = mask((20, 20, 40, 30))
    half = Image(cv2.resize(image.gray(), (50, 40), interpolation=cv2.INTER_AREA), "gray", image.canvas.resize(50, 40))
    found = apply("contours", half)
    np.testing.assert_allclose(found.columns["area"], 38 * 28)
    np.testing.assert_allclose(found.lifted().xyxy, [[21, 21, 59, 49]])
    nowhere = Image(image.gray(), "gray", Canvas.detached(100, 80))
    np.testing.assert_allclose(apply("contours", nowhere).columns["area"], 39 * 29)


# Hough


def test_lines_lie_where_they_were_drawn() -> None:
    pixels = np.zeros((120, 160), np.uint8)
    cv2.line(pixels, (20, 30), (140, 30), 255)
    cv2.line(pixels, (50, 40), (50, 110), 255)
    found = apply("hough.lines", Image(pixels, "gray"), votes=40)
    assert len(found) == 2
    np.testing.assert_allclose(np.sort(found.ends[0, [0, 2]]), [20.5, 140.5], atol=1.5)
    np.testing.assert_allclose(found.ends[0, [1, 3]], [30.5, 30.5], atol=1)
    np.testing.assert_allclose(np.sort(found.ends[1, [1, 3]]), [40.5, 110.5], atol=1.5)
    np.testing.assert_allclose(found.ends[1, [0, 2]], [50.5, 50.5], atol=1)
    assert len(apply("hough.lines", Image(pixels, "gray"), votes=40, top_k=1)) == 1
    direct = cv2.HoughLinesP(pixels, 1, np.pi / 180, 40, None, 30, 5).reshape(-1, 4)
    assert sorted(map(tuple, direct + 0.5)) == sorted(map(tuple, found.ends))


def test_circles_lie_where_they_were_drawn() -> None:
    truth = [(60.0, 50.0, 20.0), (130.0, 80.0, 30.0)]
    ys, xs = np.mgrid[0:140, 0:200] + 0.5
    cover = sum(np.clip(r + 0.5 - np.hypot(xs - x, ys - y), 0, 1) for x, y, r in truth)
    image = Image(cv2.GaussianBlur((cover * 200).astype(np.uint8), (0, 0), 1), "gray")
    found = apply("hough.circles", image, min_radius=10, max_radius=50, votes=20)
    centres = found.xyxy.reshape(-1, 2, 2).mean(axis=1)
    order = np.argsort(centres[:, 0])
    np.testing.assert_allclose(centres[order], [t[:2] for t in truth], atol=1.5)
    np.testing.assert_allclose(found.columns["radius"][order], [t[2] for t in truth], atol=1.5)
    small = Image(image.gray(), "gray", Canvas.source(400, 280).resize(200, 140))
    np.testing.assert_allclose(
        apply("hough.circles", small, min_radius=10, max_radius=50, votes=20).columns["radius"],
        found.columns["radius"] * 2,
        rtol=1e-6,
    )
    with pytest.raises(ValidationError, match="max_radius must not be below min_radius, got 5 and 10"):
        apply("hough.circles", image, min_radius=10, max_radius=5)


def test_circle_middles_are_not_half_a_pixel_off() -> None:
    """Over many discs at random places the mean error is far below half a pixel."""
    rng = np.random.default_rng(0)
    ys, xs = np.mgrid[0:120, 0:120] + 0.5
    misses = []
    for _ in range(30):
        (x, y), r = rng.uniform(45, 75, 2), rng.uniform(15, 35)
        disc = (np.clip(r + 0.5 - np.hypot(xs - x, ys - y), 0, 1) * 255).astype(np.uint8)
        found = apply("hough.circles", Image(cv2.GaussianBlur(disc, (0, 0), 1), "gray"), votes=15, top_k=1)
        misses += [found.xyxy[0].reshape(2, 2).mean(axis=0) - (x, y)]
    assert np.abs(np.mean(misses, axis=0)).max() < 0.2


# background


def walking(frames_: int = 40) -> list[Image]:
    """A bright square that crosses a still, noisy scene from frame 20 on."""
    rng = np.random.default_rng(0)
    scene = rng.integers(90, 130, (60, 100, 3), dtype=np.uint8)
    images = []
    for i in range(frames_):
        pixels = np.clip(scene + rng.normal(0, 2, scene.shape), 0, 255).astype(np.uint8)
        if i >= 20:
            x = 4 * (i - 20)
            pixels[20:40, x : x + 16] = (30, 30, 250)
        images.append(Image(pixels))
    return images


@pytest.mark.parametrize("name", ["background.mog2", "background.knn"])
def test_background_marks_what_moves(name: str) -> None:
    stage = made(name)
    masks = [stage.run(image) for image in walking()]
    for i in (25, 30, 35):
        inside = masks[i].gray()[20:40, 4 * (i - 20) : 4 * (i - 20) + 16]
        assert (inside == 255).mean() > 0.95
        outside = masks[i].gray().copy()
        outside[20:40, : 4 * (i - 20) + 16] = 0
        assert (outside > 0).mean() < 0.02
    assert set(np.unique(masks[30].gray())) <= {0, 255}
    assert masks[30].is_gray


@pytest.mark.parametrize(
    ("name", "direct"),
    [
        ("background.mog2", lambda: cv2.createBackgroundSubtractorMOG2(50, 16, True)),
        ("background.knn", lambda: cv2.createBackgroundSubtractorKNN(50, 400, True)),
    ],
)
@pytest.mark.parametrize("shadows", ["drop", "mark", "keep"])
def test_background_is_opencvs(name: str, direct: Any, shadows: str) -> None:
    stage = made(name, history=50, shadows=shadows, learning=0.02)
    subtractor = direct()
    subtractor.setDetectShadows(shadows != "keep")
    subtractor.setShadowValue({"drop": 0, "mark": 127, "keep": 0}[shadows])
    for i, image in enumerate(walking(), start=1):
        found = stage.run(image).gray()
        cv2.setRNGSeed(i)
        np.testing.assert_array_equal(found, subtractor.apply(image.bgr(), None, 0.02))


@pytest.mark.parametrize("name", ["background.mog2", "background.knn"])
def test_background_begins_anew_after_reset(name: str) -> None:
    stage, images = made(name), walking(30)
    first = [stage.run(image) for image in images]
    stage.reset()
    assert difference(first, [stage.run(image) for image in images]) is None


# flow


def sliding(dx: int, dy: int) -> list[Image]:
    """The same texture, moved by (dx, dy) pixels from picture to picture."""
    texture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (140, 180), dtype=np.uint8), (0, 0), 2)
    texture = cv2.normalize(texture, texture, 0, 255, cv2.NORM_MINMAX)
    return [Image(texture[30 - i * dy : 110 - i * dy, 30 - i * dx : 140 - i * dx].copy(), "gray") for i in range(3)]


@pytest.mark.parametrize("name", ["flow.farneback", "flow.dis"])
@pytest.mark.parametrize(("dx", "dy"), [(3, 0), (0, -2), (2, 4)])
def test_flow_points_where_things_go(name: str, dx: int, dy: int) -> None:
    stage = made(name)
    fields = [stage.run(image) for image in sliding(dx, dy)]
    assert fields[0] is ABSENT
    for field in fields[1:]:
        assert isinstance(field, Field)
        assert field.kind == "flow"
        assert field.values.shape == (80, 110, 2)
        np.testing.assert_allclose(np.median(field.values[15:-15, 15:-15], axis=(0, 1)), [dx, dy], atol=0.3)


def test_flow_is_opencvs() -> None:
    before, now = sliding(2, 1)[:2]
    farneback = made("flow.farneback", window=21, levels=2, rounds=2)
    farneback.run(before)
    direct = cv2.calcOpticalFlowFarneback(now.gray(), before.gray(), None, 0.5, 2, 21, 2, 5, 1.2, 0)
    np.testing.assert_array_equal(farneback.run(now).values, -direct)
    dis = made("flow.dis", preset="medium")
    dis.run(before)
    direct = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(now.gray(), before.gray(), None)
    np.testing.assert_array_equal(dis.run(now).values, -direct)


@pytest.mark.parametrize("name", ["flow.farneback", "flow.dis"])
def test_flow_begins_anew_with_another_size_or_session(name: str) -> None:
    stage = made(name)
    stage.run(frames.shapes(40, 30))
    assert stage.run(frames.shapes(44, 30)) is ABSENT
    assert stage.run(frames.shapes(44, 30)) is not ABSENT
    stage.reset()
    assert stage.run(frames.shapes(44, 30)) is ABSENT
    tiny = [stage.run(frames.noise(5, 90, seed=i)) for i in range(2)]
    assert not tiny[1].values.any()


# codes


def test_qr_codes_are_read_where_they_are() -> None:
    code = cv2.QRCodeEncoder.create().encode("hello visionkit")
    code = cv2.resize(code, None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
    page = np.full((260, 320), 255, np.uint8)
    side = code.shape[0]
    page[40 : 40 + side, 100 : 100 + side] = code
    found = apply("read.qr", Image(page, "gray"))
    assert found.columns["text"].tolist() == ["hello visionkit"]
    assert found.class_names == ("qr",)
    quiet = 2 * 5  # the encoder draws two modules of margin
    box = [100 + quiet, 40 + quiet, 100 + side - quiet, 40 + side - quiet]
    np.testing.assert_allclose(found.xyxy[0], box, atol=1.5)
    turned = stages().get("rotate")
    tilted = turned(turned.Params(angle=25, color="white")).run(Image(page, "gray"))
    again = apply("read.qr", tilted)
    assert again.columns["text"].tolist() == ["hello visionkit"]
    np.testing.assert_allclose(again.lifted().corners[0].mean(axis=0), found.corners[0].mean(axis=0), atol=1.5)
    assert len(apply("read.qr", frames.plain(200, 200, 255))) == 0


def ean13(digits: str) -> Any:
    """The bars of an EAN-13 code, one pixel a module, after ISO/IEC 15420."""
    left = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011".split()
    parity = "LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL".split()[int(digits[0])]
    right = ["".join("10"[int(bit)] for bit in code) for code in left]
    mirrored = [code[::-1] for code in right]
    first = "".join((left if p == "L" else mirrored)[int(d)] for d, p in zip(digits[1:7], parity, strict=True))
    bars = "101" + first + "01010" + "".join(right[int(d)] for d in digits[7:]) + "101"
    return np.array([[0 if bit == "1" else 255 for bit in bars]], np.uint8)


def test_bar_codes_are_read_where_they_are() -> None:
    page = np.full((320, 390), 255, np.uint8)
    page[100:220, 100:290] = cv2.resize(ean13("5901234123457"), (190, 120), interpolation=cv2.INTER_NEAREST)
    found = apply("read.barcode", Image(cv2.GaussianBlur(page, (0, 0), 0.7), "gray"))
    assert found.columns["text"].tolist() == ["5901234123457"]
    assert found.columns["format"].tolist() == ["EAN_13"]
    x1, y1, x2, y2 = found.xyxy[0]
    assert 85 < x1 < 115 < 275 < x2 < 305
    assert 85 < y1 < 115 < 205 < y2 < 235
    assert len(apply("read.barcode", frames.plain(200, 200, 255))) == 0


def test_a_code_that_is_found_but_not_read_has_no_text() -> None:
    corners = np.array([[[1, 1], [9, 1], [9, 9], [1, 9]]], np.float32)
    found = codes(frames.plain(20, 20), "qr", corners, {"text": ("",)})
    assert found.columns["text"].tolist() == [None]
    assert found.to_dicts()[0]["text"] is None
    assert found.xyxy.tolist() == [[1.5, 1.5, 9.5, 9.5]]
