"""Regions found without a network, on scenes whose truth is known."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from visionkit.data import Detections, Image
from visionkit.stage.catalogue import stages
from visionkit.testing import difference, frames


def made(name: str, /, **params: Any) -> Any:
    stage_class = stages().get(name)
    stage = stage_class(stage_class.Params(**params))
    stage.open(SimpleNamespace(stage_id=name, device="cpu", seed=0))
    return stage


def disc(x: float, y: float, radius: float, size: tuple[int, int] = (160, 120)) -> Any:
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]] + 0.5
    return np.hypot(xs - x, ys - y) < radius


def overlap(a: Any, b: Any) -> float:
    return float((a & b).sum() / (a | b).sum())


def scene(*discs: Any, seed: int = 0) -> Image:
    """Red things on green ground, both with noise."""
    rng = np.random.default_rng(seed)
    pixels = np.full((120, 160, 3), (40.0, 110.0, 50.0))
    for mask in discs:
        pixels[mask] = (60, 40, 200)
    return Image(np.clip(pixels + rng.normal(0, 8, pixels.shape), 0, 255).astype(np.uint8))


@pytest.mark.parametrize("dark", [False, True])
def test_watershed_divides_what_touches(dark: bool) -> None:
    truth = [disc(55, 60, 28), disc(103, 60, 26)]
    things = truth[0] | truth[1]
    image = Image(np.where(things ^ dark, 220, 30).astype(np.uint8), "gray")
    found = made("segment.watershed", core=0.7, dark=dark, name="cell").run(image)
    assert found.class_names == ("cell",)
    masks = found.masks.rasterised(image.canvas)
    assert len(masks) == 2
    for mask, expected in zip(masks[np.argsort(found.xyxy[:, 0])], truth, strict=True):
        assert overlap(mask, expected) > 0.9
    assert len(made("segment.watershed", core=0.1, dark=dark).run(image)) == 1
    assert len(made("segment.watershed", core=0.7, dark=dark, min_area=2200).run(image)) == 1


@pytest.mark.parametrize("level", [0, 255])
def test_watershed_of_nothing_is_nothing(level: int) -> None:
    assert len(made("segment.watershed").run(frames.plain(60, 40, level, gray=True))) <= 1


def test_grabcut_makes_masks_of_boxes() -> None:
    truth = [disc(50, 50, 25), disc(118, 80, 18)]
    image = scene(*truth)
    boxes = np.array([[22, 22, 78, 78], [97, 59, 139, 101]], np.float32)
    objects = Detections(image.canvas, boxes, np.array([0.9, 0.8]), np.array([0, 1]), ("ball", "dot"))
    found = made("segment.grabcut").run(image, objects)
    assert found.class_name.tolist() == ["ball", "dot"]
    np.testing.assert_array_equal(found.xyxy, boxes)
    for mask, expected in zip(found.masks.rasterised(image.canvas), truth, strict=True):
        assert overlap(mask, expected) > 0.97
    assert difference(found, made("segment.grabcut").run(image, objects)) is None


def test_grabcut_takes_boxes_of_another_picture_of_the_frame() -> None:
    image = scene(disc(50, 50, 25))
    crop = image.crop(10, 5, 100, 100)
    objects = Detections(image.canvas, np.array([[22, 22, 78, 78]]), np.ones(1), np.zeros(1))
    found = made("segment.grabcut").run(crop, objects)
    assert overlap(found.masks.rasterised(image.canvas)[0], disc(50, 50, 25)) > 0.97


def test_grabcut_keeps_the_box_where_nothing_can_be_divided() -> None:
    image = frames.plain(40, 30, 90)
    objects = Detections(image.canvas, np.array([[10, 10, 20, 20], [0, 0, 40, 30]]), np.ones(2), np.zeros(2))
    masks = made("segment.grabcut").run(image, objects).masks.rasterised(image.canvas)
    assert [int(mask.sum()) for mask in masks] == [100, 1200]


def test_superpixels_cover_the_picture_once_and_follow_edges() -> None:
    pytest.importorskip("skimage")
    thing = disc(80, 60, 35)
    image = scene(thing)
    found = made("segment.slic", count=60).run(image)
    assert 30 <= len(found) <= 90
    masks = found.masks.rasterised(image.canvas)
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    mostly = [mask for mask in masks if (mask & thing).sum() > mask.sum() / 2]
    assert overlap(np.any(mostly, axis=0), thing) > 0.95
