"""``propose.selective``: things are among the proposals, few of them, the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from visionkit.data import Image
from visionkit.data.geometry import iou
from visionkit.lazy import cv2
from visionkit.stage.catalogue import stages

pytest.importorskip("skimage")
Selective = stages().get("propose.selective")


def opened(**params):
    stage = Selective(Selective.Params(**params))
    stage.open(None)
    return stage


def test_every_shape_is_proposed() -> None:
    pixels = np.full((200, 300, 3), (70, 90, 60), np.uint8)
    boxes = np.array([[20, 30, 90, 110], [150, 20, 270, 80], [180, 110, 240, 190]])
    for (x1, y1, x2, y2), colour in zip(boxes, [(40, 40, 200), (200, 80, 30), (230, 230, 230)], strict=True):
        pixels[y1:y2, x1:x2] = colour
    noisy = np.clip(pixels + np.random.default_rng(0).normal(0, 4, pixels.shape), 0, 255).astype(np.uint8)
    found = opened().run(Image(noisy))
    assert iou(boxes.astype(float), found.xyxy).max(axis=1).min() > 0.9
    assert found.xyxy[0].tolist() == [0, 0, 300, 200]
    assert (np.diff(found.score) <= 0).all()


def test_things_of_a_real_picture_are_among_few_proposals(samples: Path) -> None:
    image = Image(cv2.imread(str(samples / "photos" / "coins.jpg")))
    circles = stages().get("hough.circles")
    wanted = circles(circles.Params(min_radius=14, max_radius=40, min_distance=35, votes=22)).run(
        Image(cv2.medianBlur(image.gray(), 7), "gray")
    )
    found = opened().run(image)
    assert len(found) <= 300
    assert (iou(wanted.xyxy, found.xyxy).max(axis=1) > 0.5).mean() > 0.8
    again = opened().run(image)
    np.testing.assert_array_equal(found.xyxy, again.xyxy)
    best = opened(top_k=7).run(image)
    np.testing.assert_array_equal(best.xyxy, found.xyxy[:7])
    assert len(opened(min_area=0.2).run(image)) < len(found)
