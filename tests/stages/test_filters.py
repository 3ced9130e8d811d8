"""Every filter against the direct OpenCV call, or its formula, bit for bit."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

from visionkit.data import Image
from visionkit.errors import DataError
from visionkit.stage.catalogue import stages

SIZES = [(53, 37), (1, 1), (2, 5)]


def picture(width: int = 53, height: int = 37, gray: bool = False, seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    pixels = cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX) if width > 2 else noise
    return Image(np.ascontiguousarray(pixels[..., 0]), "gray") if gray else Image(pixels)


def apply(name: str, image: Image, **params: Any) -> Image:
    stage_class = stages().get(name)
    result = stage_class(stage_class.Params(**params)).run(image)
    assert isinstance(result, Image)
    return result


def element(size: int, shape: int = cv2.MORPH_ELLIPSE) -> Any:
    return cv2.getStructuringElement(shape, (size, size))


SAME_FOR_BOTH = {  # name, parameters → the call on grey (H, W) or BGR (H, W, 3) pixels
    "blur by default": ("filter.blur", {}, lambda a: cv2.GaussianBlur(a, (5, 5), 0)),
    "blur by sigma": (
        "filter.blur",
        {"sigma": 2.5},
        lambda a: cv2.GaussianBlur(a, (0, 0), 2.5),
    ),
    "blur by size": (
        "filter.blur",
        {"size": 9},
        lambda a: cv2.GaussianBlur(a, (9, 9), 0),
    ),
    "blur by both": (
        "filter.blur",
        {"size": 9, "sigma": 1},
        lambda a: cv2.GaussianBlur(a, (9, 9), 1),
    ),
    "box": ("filter.box", {"size": 4}, lambda a: cv2.blur(a, (4, 4))),
    "median": ("filter.median", {"size": 7}, lambda a: cv2.medianBlur(a, 7)),
    "bilateral": (
        "filter.bilateral",
        {"diameter": 7, "sigma_color": 40, "sigma_space": 3},
        lambda a: cv2.bilateralFilter(a, 7, 40, 3),
    ),
    "sharpen": (
        "filter.sharpen",
        {"amount": 0.8, "sigma": 2},
        lambda a: cv2.addWeighted(a, 1.8, cv2.GaussianBlur(a, (0, 0), 2), -0.8, 0),
    ),
    "invert": ("filter.invert", {}, lambda a: 255 - a),
    "dilate": (
        "filter.morphology",
        {"op": "dilate", "size": 5, "times": 2},
        lambda a: cv2.dilate(a, element(5), iterations=2),
    ),
    "erode": (
        "filter.morphology",
        {"op": "erode", "shape": "cross"},
        lambda a: cv2.erode(a, element(3, cv2.MORPH_CROSS)),
    ),
    "open": (
        "filter.morphology",
        {"op": "open"},
        lambda a: cv2.dilate(cv2.erode(a, element(3)), element(3)),
    ),
    "gradient": (
        "filter.morphology",
        {"op": "gradient", "shape": "rect"},
        lambda a: cv2.dilate(a, element(3, cv2.MORPH_RECT)) - cv2.erode(a, element(3, cv2.MORPH_RECT)),
    ),
    "tophat": (
        "filter.morphology",
        {"op": "tophat", "size": 7},
        lambda a: cv2.morphologyEx(a, cv2.MORPH_TOPHAT, element(7)),
    ),
    "blackhat": (
        "filter.morphology",
        {"op": "blackhat", "size": 7},
        lambda a: cv2.morphologyEx(a, cv2.MORPH_BLACKHAT, element(7)),
    ),
    "brightness": (
        "filter.brightness",
        {"add": -40},
        lambda a: np.clip(a.astype(int) - 40, 0, 255),
    ),
    "contrast": (
        "filter.contrast",
        {"factor": 2, "middle": 100},
        lambda a: np.clip((a.astype(int) - 100) * 2 + 100, 0, 255),
    ),
    "gamma": (
        "filter.gamma",
        {"gamma": 2.2},
        lambda a: np.rint(255 * (a / 255.0) ** (1 / 2.2)),
    ),
    "pyramid down": (
        "filter.pyramid",
        {"levels": 2},
        lambda a: cv2.pyrDown(cv2.pyrDown(a)),
    ),
    "pyramid up": ("filter.pyramid", {"levels": -1}, lambda a: cv2.pyrUp(a)),
    "convolve": (
        "filter.convolve",
        {"kernel": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]},
        lambda a: cv2.filter2D(a, -1, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)),
    ),
}


@pytest.mark.parametrize("gray", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("case", SAME_FOR_BOTH)
def test_equals_the_direct_call(case: str, gray: bool) -> None:
    name, params, direct = SAME_FOR_BOTH[case]
    image = picture(gray=gray)
    result = apply(name, image, **params)
    np.testing.assert_array_equal(result.native(), direct(image.native()))
    assert result.is_gray is gray


ON_GRAY = {
    "fixed": (
        "filter.threshold",
        {"method": "fixed", "level": 90},
        lambda g: np.where(g > 90, 255, 0),
    ),
    "fixed, inverted": (
        "filter.threshold",
        {"method": "fixed", "level": 90, "invert": True},
        lambda g: np.where(g > 90, 0, 255),
    ),
    "otsu": (
        "filter.threshold",
        {},
        lambda g: cv2.threshold(g, 0, 255, cv2.THRESH_OTSU)[1],
    ),
    "triangle": (
        "filter.threshold",
        {"method": "triangle"},
        lambda g: cv2.threshold(g, 0, 255, cv2.THRESH_TRIANGLE)[1],
    ),
    "adaptive": (
        "filter.adaptive_threshold",
        {"size": 11, "offset": 4},
        lambda g: cv2.adaptiveThreshold(g, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY, 11, 4),
    ),
    "adaptive mean": (
        "filter.adaptive_threshold",
        {"method": "mean", "invert": True},
        lambda g: cv2.adaptiveThreshold(g, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY_INV, 25, 10),
    ),
    "gray": ("filter.gray", {}, lambda g: g),
    "color gray": ("filter.color", {"to": "gray"}, lambda g: g),
}


@pytest.mark.parametrize("gray", [False, True], ids=["colour", "grey"])
@pytest.mark.parametrize("case", ON_GRAY)
def test_gives_grey(case: str, gray: bool) -> None:
    name, params, direct = ON_GRAY[case]
    image = picture(gray=gray)
    result = apply(name, image, **params)
    assert result.is_gray
    np.testing.assert_array_equal(result.gray(), direct(image.gray()))


@pytest.mark.parametrize(
    ("name", "direct"),
    [
        ("filter.equalize", cv2.equalizeHist),
        ("filter.clahe", cv2.createCLAHE(2.0, (8, 8)).apply),
    ],
)
def test_evens_out_lightness_alone(name: str, direct: Any) -> None:
    image = picture()
    lab = cv2.cvtColor(image.bgr(), cv2.COLOR_BGR2LAB)
    lab[..., 0] = direct(np.ascontiguousarray(lab[..., 0]))
    np.testing.assert_array_equal(apply(name, image).bgr(), cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))
    gray = picture(gray=True)
    np.testing.assert_array_equal(apply(name, gray).gray(), direct(gray.gray()))


def test_nlm_is_opencvs() -> None:
    image, gray = picture(), picture(gray=True)
    np.testing.assert_array_equal(
        apply("filter.nlm", image, strength=8, color_strength=3).bgr(),
        cv2.fastNlMeansDenoisingColored(image.bgr(), None, 8, 3, 7, 21),
    )
    np.testing.assert_array_equal(
        apply("filter.nlm", gray, patch=5, search=11).gray(),
        cv2.fastNlMeansDenoising(gray.gray(), None, 5, 5, 11),
    )


@pytest.mark.parametrize("space", ["rgb", "hsv", "hls", "lab", "luv", "ycrcb", "xyz"])
def test_colour_spaces_and_their_channels(space: str) -> None:
    image = picture()
    code = {"ycrcb": "COLOR_BGR2YCrCb"}.get(space, f"COLOR_BGR2{space.upper()}")
    planes = cv2.cvtColor(image.bgr(), getattr(cv2, code))
    np.testing.assert_array_equal(apply("filter.color", image, to=space).bgr(), planes)
    one = apply("filter.color", image, to=space, channel=2)
    assert one.is_gray
    np.testing.assert_array_equal(one.gray(), planes[..., 2])


def test_white_balance_makes_the_means_equal() -> None:
    cast = np.clip(picture().bgr() * np.array([0.5, 0.8, 0.6]), 0, 255).astype(np.uint8)
    balanced = apply("filter.white_balance", Image(cast)).bgr().reshape(-1, 3).mean(axis=0)
    assert np.ptp(balanced) < 1.0 < np.ptp(cast.reshape(-1, 3).mean(axis=0))
    untouched = apply("filter.white_balance", Image(cast), strength=0)
    np.testing.assert_array_equal(untouched.bgr(), cast)
    black = Image(np.zeros((3, 4, 3), np.uint8))
    assert not apply("filter.white_balance", black).bgr().any()


def test_median_removes_salt_and_pepper() -> None:
    clean = cv2.GaussianBlur(picture().bgr(), (0, 0), 4)
    hit = np.random.default_rng(1).random(clean.shape[:2]) < 0.05
    noisy = clean.copy()
    noisy[hit] = 255
    before = np.abs(noisy.astype(int) - clean).mean()
    after = np.abs(apply("filter.median", Image(noisy), size=3).bgr().astype(int) - clean).mean()
    assert after < before / 3


@pytest.mark.parametrize(
    ("k", "padding", "stride"),
    [(k, p, s) for k in (1, 2, 3, 5) for p in (0, 1, 4) for s in (1, 2, 3)],
)
def test_convolve_follows_the_courses_formula(k: int, padding: int, stride: int) -> None:
    rng = np.random.default_rng(k + 10 * padding + 100 * stride)
    kernel = rng.integers(-3, 4, (k, k + 1)).astype(float)
    image = picture(11, 9)
    result = apply(
        "filter.convolve",
        image,
        kernel=kernel.tolist(),
        padding=padding,
        stride=stride,
        border="zero",
        offset=64,
    ).bgr()
    padded = np.pad(image.bgr().astype(float), ((padding, padding), (padding, padding), (0, 0)))
    sizes = [(n + 2 * padding - side) // stride + 1 for n, side in zip((9, 11), kernel.shape, strict=True)]
    assert result.shape == (*sizes, 3)
    for y in range(sizes[0]):
        for x in range(sizes[1]):
            window = padded[y * stride :, x * stride :][: kernel.shape[0], : kernel.shape[1]]
            sums = (window * kernel[..., None]).sum(axis=(0, 1)) + 64
            np.testing.assert_array_equal(result[y, x], np.clip(np.rint(sums), 0, 255))


def test_convolve_options() -> None:
    image = picture(gray=True)
    rows = [[-1.0, 0.0, 1.0]] * 3
    right = cv2.filter2D(image.gray(), cv2.CV_32F, np.array(rows))
    np.testing.assert_array_equal(
        apply("filter.convolve", image, kernel=rows, absolute=True).gray(),
        np.clip(np.abs(right), 0, 255),
    )
    mean = apply(
        "filter.convolve",
        image,
        kernel=[[1.0] * 3] * 3,
        normalize=True,
        border="repeat",
    )
    np.testing.assert_array_equal(mean.gray(), cv2.blur(image.gray(), (3, 3), borderType=cv2.BORDER_REPLICATE))


def test_convolve_says_what_is_wrong() -> None:
    with pytest.raises(DataError, match="5×5 kernel does not fit into 2×3 pixels with padding 0×0"):
        apply("filter.convolve", picture(2, 3), kernel=[[1.0] * 5] * 5, padding=0)
    with pytest.raises(ValidationError, match="rows of equal length"):
        apply("filter.convolve", picture(), kernel=[[1, 2], [3]])
    with pytest.raises(ValidationError, match="sum to 0"):
        apply("filter.convolve", picture(), kernel=[[1, -1]], normalize=True)


@pytest.mark.parametrize(("k", "padding", "stride"), [(3, 1, 2), (2, 0, 2), (5, 0, 1), (4, 3, 3), (3, 1, 1)])
def test_convolve_keeps_track_of_where_pixels_lie(k: int, padding: int, stride: int) -> None:
    """The centre of every output pixel lies where the middle of its window was."""
    result = apply(
        "filter.convolve",
        picture(20, 20),
        kernel=[[1.0] * k] * k,
        padding=padding,
        stride=stride,
    )
    lifted = result.canvas.lift(np.array([[0.5, 0.5], [2.5, 1.5]]))
    first = k / 2 - padding
    np.testing.assert_allclose(lifted, [[first, first], [first + 2 * stride, first + stride]], atol=1e-9)
    if (k, padding, stride) == (3, 1, 1):
        assert result.canvas.is_frame


def test_pyramid_keeps_track_of_where_pixels_lie() -> None:
    image = picture(21, 14)
    half = apply("filter.pyramid", image)
    assert half.canvas.size == (11, 7)
    np.testing.assert_allclose(half.canvas.lift(np.array([[3.5, 2.5]])), [[6.5, 4.5]])
    double = apply("filter.pyramid", image, levels=-1)
    np.testing.assert_allclose(double.canvas.lift(np.array([[6.5, 4.5]])), [[3.5, 2.5]])
    dot = apply("filter.pyramid", picture(1, 1), levels=3)
    assert dot.canvas.size == (1, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", [n for n in stages().names() if n.startswith("filter.")])
def test_the_place_in_the_frame_is_kept(name: str, size: tuple[int, int]) -> None:
    frame = picture(60, 50)
    image = frame.crop(3, 2, *size)
    params = {"filter.color": {"to": "hsv"}, "filter.convolve": {"kernel": [[1.0]]}}.get(name, {})
    result = apply(name, image, **params)
    if name != "filter.pyramid":
        assert result.canvas is image.canvas


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("filter.blur", {"size": 4}),
        ("filter.blur", {"sigma": 0}),
        ("filter.median", {"size": 257}),
        ("filter.threshold", {"method": "ostu"}),
        ("filter.adaptive_threshold", {"size": 1}),
        ("filter.color", {}),
        ("filter.gamma", {"gama": 2}),
    ],
)
def test_wrong_parameters_are_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        apply(name, picture(), **params)
