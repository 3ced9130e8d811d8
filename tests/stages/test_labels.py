"""The labels of data sets: what our outputs write comes back, and broken files say where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit import Pipeline
from visionkit.data import Canvas, Detections, Masks
from visionkit.errors import DataError, UsageError
from visionkit.lazy import load
from visionkit.media.sinks.coco import object_rows
from visionkit.stage import SourceInfo
from visionkit.stage.catalogue import stages
from visionkit.testing import CountingContext, check_stage, frames

cv2 = load("cv2")
CANVAS = Canvas.source(96, 64)


def reader(path: Path, **params: Any) -> Any:
    stage = stages().get("labels")(stages().get("labels").Params(path=path, **params))
    stage.open(CountingContext())
    return stage


def read(path: Path, relpath: str = "a.png", **params: Any) -> Detections:
    from visionkit.data import Key

    info = SourceInfo(relpath, "image", f"/x/{relpath}", relpath)
    return reader(path, **params).run(frames.shapes(96, 64), info, Key(relpath))


FIND = """
stages:
  - contours: {id: found, level: 60, min_area: 4}
outputs:
  - coco
  - yolo: {polygons: %s}
  - voc
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What our outputs write of two pictures, one of them below a folder."""
    folder = tmp_path_factory.mktemp("labels")
    (folder / "in/sub").mkdir(parents=True)
    for i, name in enumerate(("a.png", "sub/b.png")):
        cv2.imwrite(str(folder / "in" / name), frames.moving_discs(discs=5, seed=i)[0].image.bgr())
    for kind in ("false", "true"):
        Pipeline.from_text(FIND % kind).write(str(folder / "in"), out=folder / kind)
    return folder


@pytest.mark.parametrize(
    ("place", "slack"), [("false/coco.json", 0.02), ("false/labels", 0.02), ("false/annotations", 1.01)]
)
def test_boxes_come_back(written: Path, place: str, slack: float) -> None:
    expected = {r.packet.key.source: r["found"] for r in Pipeline.from_text(FIND % "false").run(str(written / "in"))}
    text = f"stages: [labels: {{id: read, path: '{written / place}'}}]\noutputs: [jsonl]"
    results = {r.packet.key.source: r["read"] for r in Pipeline.from_text(text).run(str(written / "in"))}
    assert results.keys() == expected.keys()
    for name, found in results.items():
        assert len(found) == len(expected[name]) > 2
        assert np.abs(found.xyxy - expected[name].xyxy).max() <= slack
        assert list(found.class_name) == list(expected[name].class_name)


def test_outlines_come_back(written: Path) -> None:
    (before, _) = Pipeline.from_text(FIND % "true").run(str(written / "in"))
    found = read(written / "true/labels")
    assert found.polygons is not None
    for mine, theirs in zip(found.polygons, before["found"].polygons, strict=True):
        assert np.abs(mine - theirs).max() < 0.01


def test_masks_and_keypoints_of_coco_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    planes = [rng.random((64, 96)) > 0.4, np.pad(np.ones((20, 30), bool), ((10, 34), (20, 46)))]
    points = np.array([[[3, 4, 1], [10, 20, 1]], [[50, 60, 1], [0, 0, 0]]], np.float32)
    objects = Detections(
        CANVAS, np.array([[0, 0, 96, 64], [20, 10, 50, 30]], np.float32), np.array([0.5, 1], np.float32),
        np.array([1, 0], np.int32), ("cat", "dog"), masks=Masks.from_bitmaps(planes, CANVAS), keypoints=points,
    )  # fmt: skip
    rows = [
        {**row, "id": i, "image_id": 7, "category_id": row.pop("category")}
        for i, row in enumerate(object_rows(objects))
    ]
    held = {
        "images": [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "b.png"}],
        "annotations": rows,
        "categories": [{"id": "cat", "name": "cat"}, {"id": "dog", "name": "dog"}],
    }
    (tmp_path / "coco.json").write_text(json.dumps(held))
    found = read(tmp_path / "coco.json")
    assert found.masks is not None
    assert (found.masks.rasterised(CANVAS) == np.stack(planes)).all()
    assert found.keypoints is not None
    assert (found.keypoints == points).all()
    assert found.score.tolist() == [0.5, 1.0]
    assert list(found.class_name) == ["dog", "cat"]
    assert len(read(tmp_path / "coco.json", "b.png")) == 0


def test_run_lengths_are_those_of_pycocotools() -> None:
    from visionkit.stages.labels._columns import unpacked

    tools = pytest.importorskip("pycocotools.mask")
    for seed in range(20):
        plane = np.random.default_rng(seed).random((37, 53)) > seed / 20
        packed = tools.encode(np.asfortranarray(plane.astype(np.uint8)))
        assert (unpacked({"size": packed["size"], "counts": packed["counts"].decode()}) == plane).all()


def test_a_data_set_of_others(shared_data: Path) -> None:
    folder = shared_data / "coco128"
    labels = next(iter(sorted(folder.rglob("*.txt")))).parent
    names = tuple(str(i) for i in range(80))
    total = sum(len(read(labels, path.with_suffix(".jpg").name, classes=names)) for path in labels.glob("0*.txt"))
    assert total == sum(len(path.read_text().splitlines()) for path in labels.glob("0*.txt")) > 900


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "0 0.5 0.5 0.1 0.1\n0 0.5 nonsense 0.1 0.1\n", "a.txt:2"),
        ("a.txt", "7 0.5 0.5 0.1 0.1\n", "a.txt:1"),
        ("a.txt", "0 0.5 0.5 0.1\n", "5 or 6 numbers"),
        ("a.xml", "<annotation><object><name>x</name></object></annotation>", "a.xml"),
        ("a.xml", "<annotation>", "a.xml"),
    ],
)
def test_broken_labels_say_where(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        read(tmp_path, classes=("cat",))
    assert message in f"{caught.value.message} {caught.value.help}"


def test_where_nothing_is() -> None:
    with pytest.raises(UsageError, match="holds no labels"):
        reader(Path("/nowhere"))


def test_class_numbers_need_names(tmp_path: Path) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    (tmp_path / "a/b/c/a.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    with pytest.raises(UsageError, match="class numbers"):
        reader(tmp_path / "a/b/c")
    (tmp_path / "a/data.yaml").write_text("names: [cat]\n")
    assert read(tmp_path / "a/b/c").class_names == ("cat",)


def test_a_broken_coco_file(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"images": []}')
    with pytest.raises(DataError, match="not COCO's JSON"):
        reader(tmp_path / "c.json")


def test_masks_go_along(tmp_path: Path) -> None:
    """A mask that is read, turned with its picture and written is the mask of the turned picture."""
    (tmp_path / "in").mkdir()
    (tmp_path / "masks").mkdir()
    pixels = np.zeros((64, 96, 3), np.uint8)
    cv2.ellipse(pixels, (40, 30), (25, 12), 20, 0, 360, (255, 255, 255), -1)
    cv2.imwrite(str(tmp_path / "in/a.png"), pixels)
    cv2.imwrite(str(tmp_path / "masks/a.png"), pixels[..., 0] // 255)
    text = f"""
run: {{variants: 4}}
stages:
  - labels.mask: {{id: cell, path: '{tmp_path / "masks"}', classes: [ground, cell]}}
  - augment.rotate: {{degrees: 30, probability: 1}}
  - augment.elastic: {{id: bent, strength: 40, smoothness: 8, probability: 1}}
outputs:
  - media: {{path: "images/{{source.relpath}}", in: bent}}
  - masks: {{in: [cell, bent]}}
"""
    Pipeline.from_text(text).write(str(tmp_path / "in"), out=tmp_path / "out")
    for variant in range(4):
        image = cv2.imread(str(tmp_path / f"out/images/a_{variant}.png"), 0) > 127
        mask = cv2.imread(str(tmp_path / f"out/masks/a_{variant}.png"), 0) == 1
        assert image.sum() > 500
        assert (image & mask).sum() / (image | mask).sum() > 0.95


def test_the_stages_keep_the_contract(written: Path, tmp_path: Path) -> None:
    check_stage(stages().get("labels"), {"path": str(written / "false/coco.json")})
    from visionkit.data import Image, Key

    def inputs(image: Image) -> dict[str, Any]:
        plane = np.zeros((image.canvas.frame_height, image.canvas.frame_width), np.uint8)
        name = f"{plane.shape[1]}x{plane.shape[0]}.png"
        cv2.imwrite(str(tmp_path / name), plane)
        return {"image": image, "source": SourceInfo(name, "image", None, name), "key": Key(name)}

    check_stage(stages().get("labels.mask"), {"path": str(tmp_path)}, inputs)
