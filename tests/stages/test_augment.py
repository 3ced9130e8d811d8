"""Augmentation: what albumentations gives, the same whatever the workers and the order, its labels moved along."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Detections, Image, Key, visible_on
from visionkit.errors import UsageError
from visionkit.lazy import load
from visionkit.media.sources import SourceOptions
from visionkit.stage import derived_seed
from visionkit.stage.catalogue import stages
from visionkit.testing import CountingContext, frames

albumentations = pytest.importorskip("albumentations")
cv2 = load("cv2")

MOVING: Mapping[str, Mapping[str, Any]] = {
    "augment.crop": {"share": [0.4, 1.0], "width": 120, "height": 70},
    "augment.distort": {"strength": 0.2},
    "augment.elastic": {"strength": 60, "smoothness": 8},
    "augment.flip": {},
    "augment.perspective": {"strength": [0.05, 0.15]},
    "augment.rotate": {"degrees": 40, "expand": True},
    "augment.scale": {"factor": [0.6, 1.5], "keep_shape": False},
    "augment.shear": {"x": 20, "y": [5, 10]},
    "augment.translate": {"x": 0.2, "y": [0.1, 0.2]},
    "augment.turn": {},
}


def opened(name: str, params: Mapping[str, Any], seed: int = 0) -> Any:
    stage = stages().get(name)(stages().get(name).Params(**{"probability": 1, **params}))
    stage.open(CountingContext(stage_id="a", seed=seed))
    return stage


def dot(x: float, y: float, width: int = 160, height: int = 110) -> Image:
    """A soft white dot about (x, y) on black."""
    ys, xs = np.mgrid[0:height, 0:width] + 0.5
    return Image(np.repeat((255 * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / 8)).astype(np.uint8)[..., None], 3, axis=2))


def middle(image: Image) -> Any:
    """Where the dot is."""
    light = image.gray().astype(float)
    ys, xs = np.mgrid[0 : image.height, 0 : image.width] + 0.5
    return np.array([(xs * light).sum(), (ys * light).sum()]) / light.sum()


@pytest.mark.parametrize("name", [*MOVING, "vertical", "lens"])
def test_pixels_lie_where_the_map_says(name: str) -> None:
    others = {
        "vertical": ("augment.flip", {"axis": "vertical"}),
        "lens": ("augment.distort", {"kind": "lens", "strength": 0.3}),
    }
    stage = opened(*others.get(name, (name, MOVING.get(name, {}))))
    checked = 0
    for index in range(6):
        for place in ((80.0, 55.0), (50.0, 40.0), (110.0, 70.0)):
            made = stage.run(dot(*place), Key("p", 0, index))
            expected = made.canvas.lower(np.array([place]))[0]
            if (expected > 8).all() and (expected < np.array([made.width, made.height]) - 8).all():
                assert np.abs(middle(made) - expected).max() < 0.8, (index, place)  # a stretched dot is not even
                jumps = 0.6 if name == "augment.distort" else 1e-3  # its grid is not smooth
                assert np.abs(made.canvas.lift(expected[None])[0] - place).max() < jumps
                checked += 1
    assert checked >= 9


HAND: Mapping[str, tuple[Mapping[str, Any], Any]] = {
    "augment.flip": ({}, lambda a: a.HorizontalFlip(p=1)),
    "augment.rotate": ({"degrees": 30}, lambda a: a.Affine(rotate=(-30, 30), p=1)),
    "augment.perspective": ({"strength": [0.05, 0.1]}, lambda a: a.Perspective(scale=(0.05, 0.1), p=1)),
    "augment.crop": (
        {"share": [0.4, 1], "width": 80, "height": 60},
        lambda a: a.RandomResizedCrop((60, 80), (0.4, 1), (0.75, 1.33), p=1),
    ),
    "augment.brightness_contrast": ({}, lambda a: a.RandomBrightnessContrast(0.2, 0.2, p=1)),
    "augment.hue": ({"hue": 20}, lambda a: a.HueSaturationValue(20, 30, 20, p=1)),
    "augment.noise": ({}, lambda a: a.GaussNoise((0.02, 0.1), p=1)),
    "augment.jpeg": ({"quality": [20, 30]}, lambda a: a.ImageCompression("jpeg", (20, 30), p=1)),
    "augment.cutout": ({"size": [0.2, 0.3]}, lambda a: a.CoarseDropout((1, 4), (0.2, 0.3), (0.2, 0.3), p=1)),
    "augment.pixels": ({"transform": "RandomFog"}, lambda a: a.RandomFog(p=1)),
}


@pytest.mark.parametrize("name", HAND)
def test_it_is_what_the_library_gives_by_hand(name: str) -> None:
    params, by_hand = HAND[name]
    image, key = frames.shapes(150, 100), Key("p.jpg", 0, 3, 2)
    points = np.array([[70.25, 40.75], [60.0, 60.0]])
    made = opened(name, params, seed=5).run(image, key)
    transform = by_hand(albumentations)
    moves = isinstance(transform, albumentations.DualTransform) and name != "augment.cutout"
    labels = {"keypoint_params": {"format": "xy", "remove_invisible": False}} if moves else {}
    compose = albumentations.Compose([transform], **labels)
    transform.set_random_seed(derived_seed(5, "a", "p.jpg", 3, 2))
    given = {"keypoints": points - 0.5} if moves else {}  # it counts from the middle of pixels
    expected = compose(image=np.array(image.rgb()), **given)
    assert (made.rgb() == expected["image"]).all()
    if moves and name != "augment.crop":  # whose keypoints ignore that pixels have a width
        assert np.abs(made.canvas.lower(points) - 0.5 - expected["keypoints"]).max() < 1e-3


def test_boxes_are_those_of_the_library() -> None:
    image, key = frames.shapes(150, 100), Key("p.jpg")
    boxes = np.array([[20, 30, 60, 70], [90, 10, 130, 50]], np.float32)
    made = opened("augment.rotate", {"degrees": 30}).run(image, key)
    compose = albumentations.Compose(
        [albumentations.Affine(rotate=(-30, 30), p=1)], bbox_params={"format": "pascal_voc", "label_fields": ["n"]}
    )
    compose.transforms[0].set_random_seed(derived_seed(0, "a", "p.jpg", 0))
    expected = compose(image=np.array(image.rgb()), bboxes=boxes, n=[0, 1])["bboxes"]
    found = Detections(image.canvas, boxes, np.ones(2, np.float32), np.zeros(2, np.int32))
    found = visible_on(found, made.canvas)
    assert np.abs(found.xyxy - expected).max() < 0.01


@pytest.mark.parametrize("name", sorted(n for n in stages().names() if n.startswith("augment.")))
def test_chance_is_of_the_packet(name: str) -> None:
    params = {"transform": "RandomRain"} if name == "augment.pixels" else {}
    image = frames.shapes(96, 64)
    one, other = opened(name, params, 1), opened(name, params, 1)
    keys = [Key(source, 0, index, variant) for source in ("a", "b") for index in (0, 1) for variant in range(4)]
    first = [one.run(image, key).rgb().tobytes() for key in keys]
    assert [other.run(image, key).rgb().tobytes() for key in reversed(keys)] == first[::-1]
    assert len(set(first)) >= (2 if name in ("augment.flip", "augment.turn") else 8) or name == "augment.flip"
    never = opened(name, {**params, "probability": 0})
    assert never.run(image, keys[0]) is image


def test_half_of_the_pictures_by_default() -> None:
    stage = opened("augment.flip", {"probability": 0.5})
    image = frames.shapes(32, 24)
    changed = sum(stage.run(image, Key("p", 0, i)) is not image for i in range(400))
    assert 160 < changed < 240


PLAIN = """
stages:
  - augment.rotate: {probability: 1}
  - augment.elastic: {probability: 1}
  - augment.noise: {probability: 1}
"""


def test_neither_workers_nor_neighbours_change_a_picture(tmp_path: Path) -> None:
    for i in range(6):
        cv2.imwrite(str(tmp_path / f"{i}.png"), frames.shapes(90, 60, seed=i).bgr())
    options = SourceOptions(variants=3)

    def pictures(*inputs: Path, workers: int) -> dict[Any, bytes]:
        pipeline = Pipeline.from_text(PLAIN).with_settings(workers=workers, seed=3)
        results = pipeline.run(*map(str, inputs), options=options)
        return {(r.packet.key.source, r.packet.key.variant): r.image.rgb().tobytes() for r in results}

    whole = pictures(tmp_path, workers=1)
    assert len(set(whole.values())) == 18
    assert pictures(tmp_path, workers=4) == whole
    assert pictures(tmp_path / "4.png", tmp_path / "1.png", workers=2).items() <= whole.items()


GROW = """
run: {variants: 5}
stages:
  - labels: {id: found, path: %s}
  - augment.flip
  - augment.rotate: {degrees: 25, probability: 1}
  - augment.crop: {id: picture, share: [0.5, 1], probability: 1}
  - visible: {id: objects, in: [found, picture], share: 0.4}
outputs:
  - media: {path: "images/{source.stem}.png", in: picture}
  - yolo: {in: [objects, picture]}
  - coco: {in: [objects, picture]}
  - voc: {in: picture}
"""


def test_a_folder_grows_with_its_labels(tmp_path: Path) -> None:
    """White squares: every label that comes out lies around white, and every white square kept has a label."""
    data = tmp_path / "data"
    (data / "labels").mkdir(parents=True)
    (data / "images").mkdir()
    (data / "data.yaml").write_text("names: {0: square}\n")
    for i, (x, y) in enumerate([(30, 20), (90, 60), (60, 40)]):
        pixels = np.zeros((110, 160, 3), np.uint8)
        pixels[y : y + 24, x : x + 30] = 255
        cv2.imwrite(str(data / "images" / f"{i}.png"), pixels)
        (data / "labels" / f"{i}.txt").write_text(f"0 {(x + 15) / 160} {(y + 12) / 110} {30 / 160} {24 / 110}\n")
    pipeline = Pipeline.from_text(GROW % (data / "labels"))
    summary = pipeline.write(str(data / "images"), out=tmp_path / "out")
    assert summary.out == 15
    assert not summary.failed
    names = sorted(path.stem for path in (tmp_path / "out/images").iterdir())
    assert names == [f"{i}_{v}" for i in range(3) for v in range(5)]
    whole = json.loads((tmp_path / "out/coco.json").read_text())
    assert sorted(row["file_name"] for row in whole["images"]) == [f"{name}.png" for name in names]
    found = 0
    for name in names:
        pixels = cv2.imread(str(tmp_path / "out/images" / f"{name}.png"), 0)
        lines = (tmp_path / "out/labels" / f"{name}.txt").read_text().splitlines()
        white = cv2.boundingRect((pixels > 127).astype(np.uint8))
        assert len(lines) <= 1
        for line in lines:
            cx, cy, w, h = np.array(line.split()[1:], float) * [160, 110, 160, 110]
            box = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
            edges = np.array([white[0], white[1], white[0] + white[2], white[1] + white[3]])
            assert (box[:2] < edges[:2] + 2).all()
            assert (box[2:] > edges[2:] - 2).all()
            whole_in = white[0] > 0 and white[1] > 0 and edges[2] < 160 and edges[3] < 110
            assert not whole_in or np.abs(box - edges).max() < 2  # of one that is cut the corners count that are gone
            found += 1
        assert lines or (pixels > 127).sum() < 30 * 24
    assert found >= 10
    assert len(whole["annotations"]) == found


def test_variants_by_the_command_line_win(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), frames.shapes().bgr())
    pipeline = Pipeline.from_text("run: {variants: 3}\n" + PLAIN)
    assert len(list(pipeline.run(str(tmp_path)))) == 3
    assert len(list(pipeline.run(str(tmp_path), options=SourceOptions(variants=2)))) == 2
    assert [r.packet.key.variant for r in pipeline.run(frames.shapes())] == [0, 1, 2]


def test_a_camera_has_no_variants() -> None:
    with pytest.raises(UsageError, match="but once"):
        list(Pipeline.from_text(PLAIN).run("0", options=SourceOptions(variants=2)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"transform": "RandomFogg"}, "RandomFog"),
        ({"transform": "HorizontalFlip"}, "no pixel transform"),
        ({"transform": "RandomFog", "options": {"thickness": 3}}, "thickness"),
    ],
)
def test_what_albumentations_does_not_have(params: Mapping[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened("augment.pixels", params)
