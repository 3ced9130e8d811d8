"""Geometry by pixels, not by algebra.

A disc is drawn on a frame and goes through random chains of every stage that moves pixels. After each step its centroid
is measured in the picture that came out and lifted to the frame: it has to be where the disc was drawn, within half a
pixel of the frame plus one pixel of the output.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from visionkit.data import Detections, Image
from visionkit.stage.catalogue import stages

CHAINS = 20
ONE_STAGE = 0.3  # pixels of the frame: half a pixel lost in a convention would show
LONGEST = 6


def disc(rng: np.random.Generator) -> tuple[Image, Any]:
    """A light disc, its edge smooth, on black; and its centre."""
    width, height = (int(v) for v in rng.integers(160, 320, 2))
    centre = rng.uniform(0.3, 0.7, 2) * (width, height)
    radius = rng.uniform(7, 12)
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    inside = np.clip(radius + 0.5 - np.hypot(xs - centre[0], ys - centre[1]), 0, 1)
    return Image(np.rint(inside * 255).astype(np.uint8), "gray"), centre


def resize(rng: np.random.Generator, image: Image) -> dict[str, Any]:
    width, height = (max(1, int(s * rng.uniform(0.6, 1.6))) for s in (image.width, image.height))
    return {"width": width, "height": height, "interpolation": str(rng.choice(["auto", "nearest", "linear", "cubic"]))}


def letterbox(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    return {"width": int(rng.integers(120, 400)), "height": int(rng.integers(120, 400)), "color": "black"}


def crop(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    left, top, right, bottom = (float(v) for v in rng.uniform(0, 0.25, 4))
    return {"x": left, "y": top, "width": 1 - left - right, "height": 1 - top - bottom}


def pad(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    names = ("left", "top", "right", "bottom")
    return {name: int(v) for name, v in zip(names, rng.integers(0, 40, 4), strict=True)} | {"multiple_of": 8}


def rotate(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    angle = float(rng.choice([90, 180, 270, -90])) if rng.random() < 0.3 else float(rng.uniform(-180, 180))
    how = str(rng.choice(["linear", "cubic", "nearest"]))
    return {"angle": angle, "expand": bool(rng.random() < 0.7), "interpolation": how}


def flip(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    return {"direction": str(rng.choice(["horizontal", "vertical", "both"]))}


def warp(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) + rng.uniform(0, 0.15, (4, 2)) * [
        [1, 1],
        [-1, 1],
        [-1, -1],
        [1, -1],
    ]
    return {"points": corners.tolist()}


def undistort(rng: np.random.Generator, image: Image) -> dict[str, Any]:
    focal = max(image.width, image.height) * rng.uniform(0.9, 1.5)
    camera = (focal, focal * rng.uniform(0.95, 1.05), image.width * rng.uniform(0.4, 0.6), image.height / 2)
    k1, k2 = rng.uniform(-0.2, 0.1), rng.uniform(-0.02, 0.02)
    keep = None if rng.random() < 0.5 else float(rng.random())
    return {"camera": camera, "distortion": (k1, k2, *rng.uniform(-0.003, 0.003, 2)), "keep": keep}


def elastic(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    # A bend that is straight on the scale of the disc: a centroid moves with its disc only under such a map.
    return {"amplitude": float(rng.uniform(2, 8)), "smoothness": 120.0, "seed": int(rng.integers(1e6))}


def convolve(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    k = int(rng.integers(1, 5))
    side = {"stride": int(rng.integers(1, 3)), "padding": int(rng.integers(0, 4)), "border": "zero"}
    return {"kernel": [[1.0] * k] * k, "normalize": True, **side}


def pyramid(rng: np.random.Generator, _: Image) -> dict[str, Any]:
    return {"levels": int(rng.choice([1, -1]))}


MAKERS = {
    "resize": resize,
    "letterbox": letterbox,
    "crop": crop,
    "pad": pad,
    "rotate": rotate,
    "flip": flip,
    "warp": warp,
    "undistort": undistort,
    "elastic": elastic,
    "filter.convolve": convolve,
    "filter.pyramid": pyramid,
}


def through(name: str, image: Image, rng: np.random.Generator) -> Image:
    stage_class = stages().get(name)
    stage = stage_class(stage_class.Params(**MAKERS[name](rng, image)))
    stage.open(SimpleNamespace(stage_id=name, device="cpu", seed=0))
    result = stage.run(image)
    assert isinstance(result, Image)
    return result


def centroid(image: Image) -> Any:
    """The disc's centroid by its levels, or None where it was cut or has become too small to measure."""
    levels = image.gray().astype(np.float64)
    border = max(levels[0].max(), levels[-1].max(), levels[:, 0].max(), levels[:, -1].max())
    if border > 0 or (levels > 127).sum() < 12:
        return None
    total = levels.sum()
    ys, xs = np.mgrid[0 : image.height, 0 : image.width] + 0.5
    return np.array([(xs * levels).sum(), (ys * levels).sum()]) / total


def pixel_size(image: Image, point: Any) -> float:
    """How long a pixel of the output is on the frame, at ``point``: the longer of its two sides."""
    here = image.canvas.lift(np.array([[0, 0], [1, 0], [0, 1]]) + point)
    return float(np.linalg.norm(here[1:] - here[0], axis=1).max())


def check(centre: Any, image: Image, chain: list[str], allowed: float | None = None) -> bool:
    """Whether the disc could be measured; fails where it is not in its place."""
    at = centroid(image)
    if at is None:
        return False
    miss = np.linalg.norm(image.canvas.lift(at[None])[0] - centre)
    allowed = allowed or 0.5 + pixel_size(image, at)
    assert miss <= allowed, f"{' → '.join(chain)}: {miss:.2f} px off, {allowed:.2f} allowed"
    np.testing.assert_allclose(image.canvas.lift(image.canvas.lower(centre[None])), centre[None], atol=1e-3)
    return True


@pytest.mark.parametrize("name", MAKERS)
def test_one_stage(name: str) -> None:
    measured = 0
    for seed in range(30):
        rng = np.random.default_rng([seed, len(name)])
        frame, centre = disc(rng)
        measured += check(centre, through(name, frame, rng), [name], ONE_STAGE)
    assert measured >= 20


@pytest.mark.parametrize("seed", range(16))
def test_random_chains(seed: int) -> None:
    rng = np.random.default_rng(seed)
    measured = 0
    for _ in range(CHAINS):
        image, centre = disc(rng)
        chain: list[str] = []
        for name in rng.choice(list(MAKERS), rng.integers(2, LONGEST + 1)):
            image = through(str(name), image, rng)
            chain.append(str(name))
            if max(image.width, image.height) > 1200 or not check(centre, image, chain):
                break
            measured += len(chain) > 1
    assert measured >= 2 * CHAINS


@pytest.mark.parametrize("seed", range(10))
def test_an_object_cropped_out_of_a_chain(seed: int) -> None:
    """A box around the disc on one picture, cropped (and straightened) out of another picture of the frame."""
    rng = np.random.default_rng(1000 + seed)
    frame, centre = disc(rng)
    turned = through("rotate", frame, rng)
    bent = through("warp", frame, rng)
    half = 16.0
    box = Detections(frame.canvas, [[*(centre - half), *(centre + half)]], [1.0], [0])  # type: ignore[arg-type]
    crop_class = stages().get("crop")
    for picture, found in ((turned, box), (turned, box.on(bent.canvas)), (bent, box.on(turned.canvas))):
        for straighten in (True, False):
            stage = crop_class(crop_class.Params(straighten=straighten))
            result = stage.run(picture, found)
            assert check(centre, result, ["crop"]), "the disc was cut"
