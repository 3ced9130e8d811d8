"""Every edge operator against the direct OpenCV call, or its formula."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from visionkit.data import Image
from visionkit.stage.catalogue import stages


def picture(gray: bool = False) -> Image:
    noise = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(float)
    pixels = np.clip((smooth - 127) * 3 + 110, 0, 255).astype(np.uint8)
    return Image(np.ascontiguousarray(pixels[..., 0]), "gray") if gray else Image(pixels)


def apply(name: str, image: Image, **params: Any) -> Any:
    stage_class = stages().get(name)
    result = stage_class(stage_class.Params(**params)).run(image)
    assert result.is_gray
    assert result.canvas is image.canvas
    return result.gray()


def level(values: Any, gain: float = 1.0) -> Any:
    return np.clip(np.rint(np.abs(values) * np.float32(gain)), 0, 255)


def sobel(gray: Any, dx: int, dy: int, size: int = 3) -> Any:
    return cv2.Sobel(gray, cv2.CV_32F, dx, dy, ksize=size)


def prewitt_x(gray: Any) -> Any:
    return cv2.filter2D(gray, cv2.CV_32F, np.array([[-1, 0, 1]] * 3, np.float32))


def prewitt_y(gray: Any) -> Any:
    return cv2.filter2D(gray, cv2.CV_32F, np.array([[-1, 0, 1]] * 3, np.float32).T)


CASES = {
    "sobel x": ("edges.sobel", {"direction": "x"}, lambda g: level(sobel(g, 1, 0))),
    "sobel y": ("edges.sobel", {"direction": "y", "size": 5, "gain": 0.5}, lambda g: level(sobel(g, 0, 1, 5), 0.5)),
    "sobel": ("edges.sobel", {}, lambda g: level(cv2.magnitude(sobel(g, 1, 0), sobel(g, 0, 1)))),
    "scharr x": ("edges.scharr", {"direction": "x"}, lambda g: level(cv2.Scharr(g, cv2.CV_32F, 1, 0))),
    "scharr": (
        "edges.scharr",
        {"gain": 0.25},
        lambda g: level(cv2.magnitude(cv2.Scharr(g, cv2.CV_32F, 1, 0), cv2.Scharr(g, cv2.CV_32F, 0, 1)), 0.25),
    ),
    "prewitt x": ("edges.prewitt", {"direction": "x"}, lambda g: level(prewitt_x(g))),
    "prewitt y": ("edges.prewitt", {"direction": "y"}, lambda g: level(prewitt_y(g))),
    "prewitt": ("edges.prewitt", {}, lambda g: level(cv2.magnitude(prewitt_x(g), prewitt_y(g)))),
    "laplacian": ("edges.laplacian", {"size": 1, "gain": 2}, lambda g: level(cv2.Laplacian(g, cv2.CV_32F), 2)),
    "laplacian 5": ("edges.laplacian", {"size": 5}, lambda g: level(cv2.Laplacian(g, cv2.CV_32F, ksize=5))),
    "canny": ("edges.canny", {"low": 40, "high": 120}, lambda g: cv2.Canny(g, 40, 120)),
    "canny 5": (
        "edges.canny",
        {"low": 400, "high": 900, "aperture": 5, "l2": True},
        lambda g: cv2.Canny(g, 400, 900, apertureSize=5, L2gradient=True),
    ),
    "canny median": ("edges.canny", {}, lambda g: cv2.Canny(g, 0.67 * np.median(g), min(255, 1.33 * np.median(g)))),
    "canny otsu": ("edges.canny", {"auto": "otsu"}, lambda g: cv2.Canny(g, otsu(g) / 2, otsu(g))),
    "dog": (
        "edges.dog",
        {"sigma": 1.2, "ratio": 2, "gain": 3},
        lambda g: level(
            cv2.GaussianBlur(g.astype(np.float32), (0, 0), 1.2) - cv2.GaussianBlur(g.astype(np.float32), (0, 0), 2.4), 3
        ),
    ),
}


def otsu(gray: Any) -> float:
    return float(cv2.threshold(gray, 0, 255, cv2.THRESH_OTSU)[0])


@pytest.mark.parametrize("gray", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("case", CASES)
def test_equals_the_direct_call(case: str, gray: bool) -> None:
    name, params, direct = CASES[case]
    image = picture(gray)
    result = apply(name, image, **params)
    assert result.any()
    expected = direct(image.gray())
    if "gain" in params:  # a quarter of a root may end in .5, and its last bit depends on the array's place in memory
        assert np.count_nonzero(result != expected) <= result.size // 500
        np.testing.assert_allclose(result, expected, atol=1)
    else:
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", [n for n in stages().names() if n.startswith("edges.") and n != "edges.hed"])
def test_a_step_is_bright_and_a_plain_wall_is_black(name: str) -> None:
    step = np.full((30, 30), 60, np.uint8)
    step[:, 15:] = 200
    result = apply(name, Image(step, "gray"))
    assert result[:, 13:17].max(axis=1).min() > 50
    assert not result[:, :8].any()
    assert not apply(name, Image(np.full((30, 30), 90, np.uint8), "gray")).any()


def test_canny_on_a_night_sky_is_not_all_edges() -> None:
    sky = np.random.default_rng(0).integers(0, 3, (40, 40), dtype=np.uint8)
    sky[10:30, 10:30] = 0
    assert np.median(sky) <= 1
    assert not apply("edges.canny", Image(sky, "gray")).any()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"low": 200, "high": 100}, "low must not be above high, got 200 and 100"),
        ({"low": 50}, "go together"),
        ({"aperture": 4}, "3, 5 or 7"),
    ],
)
def test_canny_says_what_is_wrong(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        apply("edges.canny", picture(), **params)
