"""Pictures to pictures: filters, edges, geometry, augmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy.pairs.pair import Call, Pair, Pixels, plain
from benchmarks.accuracy.scene import Scene
from visionkit.lazy import load


def gray(pixels: Pixels) -> Pixels:
    """One channel."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))


def _on_lightness(function: Callable[[], Callable[[Pixels], Pixels]]) -> Callable[[Scene], Call]:
    def run(pixels: Pixels) -> Pixels:
        lab = cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB)
        lab[..., 0] = function()(lab[..., 0])
        return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))

    return plain(run)


def _table(function: Callable[[Pixels], Pixels]) -> Callable[[Scene], Call]:
    def run(pixels: Pixels) -> Pixels:
        levels = np.clip(np.rint(function(np.arange(256.0))), 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(pixels, levels))

    return plain(run)


def _sharpened(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.addWeighted(pixels, 2.0, cv2.GaussianBlur(pixels, (0, 0), 1.5), -1.0, 0))


def _opened(pixels: Pixels) -> Pixels:
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return np.asarray(cv2.morphologyEx(pixels, cv2.MORPH_OPEN, element))


def _balanced(pixels: Pixels) -> Pixels:
    means = np.array(cv2.mean(pixels)[:3])
    levels = np.arange(256)[None, :, None] * (means.mean() / means)
    return np.asarray(cv2.LUT(pixels, np.clip(np.rint(levels), 0, 255).astype(np.uint8)))


def _gradient(derivative: Callable[[Pixels, int, int], Pixels]) -> Callable[[Scene], Call]:
    def run(pixels: Pixels) -> Pixels:
        plane = gray(pixels)
        return np.asarray(cv2.convertScaleAbs(cv2.magnitude(derivative(plane, 1, 0), derivative(plane, 0, 1))))

    return plain(run)


def _prewitt(plane: Pixels, dx: int, dy: int) -> Pixels:
    mean, difference = np.ones(3, np.float32), np.array([-1, 0, 1], np.float32)
    return np.asarray(cv2.sepFilter2D(plane, cv2.CV_32F, difference if dx else mean, difference if dy else mean))


def _dog(pixels: Pixels) -> Pixels:
    plane = gray(pixels).astype(np.float32)
    return np.asarray(
        cv2.convertScaleAbs(cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.GaussianBlur(plane, (0, 0), 1.6), alpha=4)
    )


def _boxed(pixels: Pixels) -> Pixels:
    small = cv2.resize(pixels, (416, 312), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.copyMakeBorder(small, 52, 52, 0, 0, cv2.BORDER_CONSTANT, value=(114, 114, 114)))


def _padded(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.copyMakeBorder(pixels, 16, 16, 16, 16, cv2.BORDER_CONSTANT, value=(0, 0, 0)))


def _tilted(pixels: Pixels) -> Pixels:
    turn = cv2.getRotationMatrix2D((319.5, 239.5), 7.5, 1.0)
    return np.asarray(cv2.warpAffine(pixels, turn, (640, 480)))


CORNERS = ((0.2, 0.1), (0.8, 0.1), (1.0, 0.9), (0.0, 0.9))


def _straightened(pixels: Pixels) -> Pixels:
    corners = (np.array(CORNERS) * [640, 480] - 0.5).astype(np.float32)
    target = np.array([[-0.5, -0.5], [399.5, -0.5], [399.5, 599.5], [-0.5, 599.5]], np.float32)
    return np.asarray(cv2.warpPerspective(pixels, cv2.getPerspectiveTransform(corners, target), (400, 600)))


CAMERA, LENS = (520.0, 520.0, 320.0, 240.0), (-0.28, 0.07, 0.0, 0.0)


def _undistorted(_: Scene) -> Call:
    fx, fy, cx, cy = CAMERA
    camera = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    maps = cv2.initUndistortRectifyMap(camera, np.array(LENS), np.eye(3), camera, (640, 480), cv2.CV_32FC2)
    return lambda pixels: cv2.remap(pixels, maps[0], None, cv2.INTER_LINEAR)


def _bent(_: Scene) -> Call:
    noise = np.random.default_rng(0).uniform(-1, 1, (480, 640, 2)).astype(np.float32)
    ys, xs = np.mgrid[0:480, 0:640].astype(np.float32)
    grid = np.stack([xs, ys], axis=2) + 300 * cv2.GaussianBlur(noise, (0, 0), 16)
    return lambda pixels: cv2.remap(pixels, grid, None, cv2.INTER_LINEAR)


PICTURES = (
    Pair("filter.adaptive_threshold", plain(lambda p: cv2.adaptiveThreshold(gray(p), 255, 1, 0, 25, 10))),
    Pair("filter.bilateral", plain(lambda p: cv2.bilateralFilter(p, 9, 50, 5))),
    Pair("filter.blur", plain(lambda p: cv2.GaussianBlur(p, (5, 5), 0)), {"size": 5}),
    Pair("filter.box", plain(lambda p: cv2.blur(p, (5, 5)))),
    Pair("filter.brightness", _table(lambda levels: levels + 30)),
    Pair("filter.clahe", _on_lightness(lambda: cv2.createCLAHE(2.0, (8, 8)).apply)),
    Pair("filter.color", plain(lambda p: cv2.cvtColor(p, cv2.COLOR_BGR2HSV)), {"to": "hsv"}),
    Pair("filter.contrast", _table(lambda levels: (levels - 127.5) * 1.3 + 127.5)),
    Pair(
        "filter.convolve",
        plain(lambda p: cv2.filter2D(p, -1, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32))),
        {"kernel": ((0, -1, 0), (-1, 5, -1), (0, -1, 0))},
    ),
    Pair("filter.equalize", _on_lightness(lambda: cv2.equalizeHist)),
    Pair("filter.gamma", _table(lambda levels: 255 * (levels / 255) ** (1 / 1.5))),
    Pair("filter.gray", plain(gray)),
    Pair("filter.invert", plain(cv2.bitwise_not)),
    Pair("filter.median", plain(lambda p: cv2.medianBlur(p, 5)), {"size": 5}),
    Pair("filter.morphology", plain(_opened), {"op": "open", "size": 5}),
    Pair(
        "filter.nlm",
        plain(lambda p: cv2.fastNlMeansDenoisingColored(p, None, 8, 8, 5, 11)),
        {"strength": 8, "patch": 5, "search": 11},
    ),
    Pair("filter.pyramid", plain(cv2.pyrDown)),
    Pair("filter.sharpen", plain(_sharpened)),
    Pair("filter.threshold", plain(lambda p: cv2.threshold(gray(p), 127, 255, cv2.THRESH_OTSU)[1])),
    Pair("filter.white_balance", plain(_balanced)),
    Pair("edges.canny", plain(lambda p: cv2.Canny(gray(p), 50, 150)), {"low": 50, "high": 150}),
    Pair("edges.dog", plain(_dog)),
    Pair("edges.laplacian", plain(lambda p: cv2.convertScaleAbs(cv2.Laplacian(gray(p), cv2.CV_32F, ksize=3)))),
    Pair("edges.prewitt", _gradient(_prewitt)),
    Pair("edges.scharr", _gradient(lambda plane, dx, dy: cv2.Scharr(plane, cv2.CV_32F, dx, dy))),
    Pair("edges.sobel", _gradient(lambda plane, dx, dy: cv2.Sobel(plane, cv2.CV_32F, dx, dy, ksize=3))),
    Pair("crop", plain(lambda p: p[120:360, 160:480]), {"x": 160, "y": 120, "width": 320, "height": 240}),
    Pair("elastic", _bent, {"seed": 1}),
    Pair("flip", plain(lambda p: cv2.flip(p, 1))),
    Pair("letterbox", plain(_boxed), {"width": 416, "height": 416}),
    Pair("pad", plain(_padded), {"all": 16}),
    Pair("resize", plain(lambda p: cv2.resize(p, (320, 240), interpolation=cv2.INTER_AREA)), {"width": 320}),
    Pair("rotate", plain(lambda p: cv2.rotate(p, cv2.ROTATE_90_COUNTERCLOCKWISE))),
    Pair("rotate", plain(_tilted), {"angle": 7.5, "expand": False}, "by 7.5°"),
    Pair("undistort", _undistorted, {"camera": CAMERA, "distortion": LENS}),
    Pair("warp", plain(_straightened), {"points": CORNERS, "width": 400, "height": 600}),
)


def _changed(name: str, stage: str, params: Mapping[str, Any], *options: Any, **more: Any) -> Pair:
    """A transform of albumentations, which takes RGB, happens each time, and draws the same for the same picture."""

    def make(_: Scene) -> Call:
        change, numbers = getattr(load("albumentations"), name)(*options, **more, p=1.0), count()

        def run(pixels: Pixels) -> Any:
            change.set_random_seed(next(numbers))
            return change(image=cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))["image"]

        return run

    return Pair(f"augment.{stage}", make, {**params, "probability": 1}, "albumentations, seeded", ("image", "key"))


AUGMENTS = (
    _changed("GaussianBlur", "blur", {"sigma": (1, 1)}, 0, (1.0, 1.0)),
    _changed(
        "RandomBrightnessContrast",
        "brightness_contrast",
        {"brightness": (0.1, 0.1), "contrast": (0.1, 0.1)},
        (0.1, 0.1),
        (0.1, 0.1),
    ),
    _changed(
        "RandomResizedCrop", "crop", {"share": (0.5, 0.5), "ratio": (1.3, 1.3)}, (480, 640), (0.5, 0.5), (1.3, 1.3)
    ),
    _changed("CoarseDropout", "cutout", {"holes": (4, 4), "size": (0.1, 0.1)}, (4, 4), (0.1, 0.1), (0.1, 0.1)),
    _changed("GridDistortion", "distort", {"strength": (0.2, 0.2)}, 5, (0.2, 0.2)),
    _changed("ElasticTransform", "elastic", {}, 120.0, 10.0),
    _changed("HorizontalFlip", "flip", {}),
    _changed("RandomGamma", "gamma", {"gamma": (1.2, 1.2)}, (120, 120)),
    _changed(
        "HueSaturationValue", "hue", {"hue": (9, 9), "saturation": (20, 20), "value": (9, 9)}, (9, 9), (20, 20), (9, 9)
    ),
    _changed("ImageCompression", "jpeg", {"quality": (60, 60)}, "jpeg", (60, 60)),
    _changed("MotionBlur", "motion_blur", {"length": (7, 7)}, blur_limit=(7, 7)),
    _changed("GaussNoise", "noise", {"strength": (0.05, 0.05)}, (0.05, 0.05)),
    _changed("Perspective", "perspective", {"strength": (0.08, 0.08)}, (0.08, 0.08)),
    _changed("ToSepia", "pixels", {"transform": "ToSepia"}),
    _changed("Affine", "rotate", {"degrees": (9, 9)}, rotate=(9, 9)),
    _changed("Affine", "scale", {"factor": (1.1, 1.1)}, scale=(1.1, 1.1)),
    _changed("Affine", "shear", {"x": (9, 9), "y": (0, 0)}, shear={"x": (9, 9), "y": (0, 0)}),
    _changed(
        "Affine", "translate", {"x": (0.1, 0.1), "y": (0.1, 0.1)}, translate_percent={"x": (0.1, 0.1), "y": (0.1, 0.1)}
    ),
    _changed("RandomRotate90", "turn", {}),
)
