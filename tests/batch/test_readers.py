"""What a run leaves is read by pandas and pycocotools, and by readers that pair files as FiftyOne's importers do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as Xml

import cv2
import pytest
from ruamel.yaml import YAML

from tests.batch.batches import pictures
from visionkit.api import Pipeline

TEXT = """
stages:
  - contours: {}
outputs:
  - media: {path: "images/{source.relpath}"}
  - jsonl
  - csv
  - coco
  - yolo
  - voc
"""
Boxes = dict[str, list[tuple[float, float, float, float]]]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("readers")
    Pipeline.from_text(TEXT).write(pictures(place / "in", 6), out=place / "out")
    return place / "out"


@pytest.fixture(scope="module")
def boxes(out: Path) -> Boxes:
    """From the CSV, by pandas: (x1, y1, x2, y2) of every object by its picture."""
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.read_csv(out / "results.csv")
    found: Boxes = {}
    for row in table.itertuples():
        found.setdefault(row.source, []).append((row.x1, row.y1, row.x2, row.y2))
    assert sum(map(len, found.values())) > 6
    return found


def same(found: Boxes, expected: Boxes, within: float) -> None:
    assert {name: len(rows) for name, rows in found.items() if rows} == {n: len(rows) for n, rows in expected.items()}
    for name, rows in expected.items():
        for a, b in zip(sorted(found[name]), sorted(rows), strict=True):
            assert a == pytest.approx(b, abs=within), name


def test_pandas_reads_the_lines(out: Path, boxes: Boxes) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.read_json(out / "results.jsonl", lines=True)
    assert Counter({row.source: len(row.contours) for row in table.itertuples()}) == Counter(
        {name: len(rows) for name, rows in boxes.items()}
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools with NumPy 2
def test_pycocotools_finds_every_picture_and_box(out: Path, boxes: Boxes) -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    coco = tools.COCO(out / "coco.json")
    found: Boxes = {}
    for image in coco.loadImgs(coco.getImgIds()):
        height, width = cv2.imread(str(out / "images" / image["file_name"])).shape[:2]
        assert (image["width"], image["height"]) == (width, height)
        rows = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        assert {row["category_id"] for row in rows} <= set(coco.getCatIds())
        found[image["file_name"]] = [(x, y, x + w, y + h) for x, y, w, h in (row["bbox"] for row in rows)]
    same(found, boxes, 0.01)


def test_yolo_pairs_labels_with_images(out: Path, boxes: Boxes) -> None:
    """``images/a.png`` belongs to ``labels/a.txt``; classes are indices into ``names``."""
    names = YAML(typ="safe").load((out / "data.yaml").read_text())["names"]
    found: Boxes = {}
    for path in (out / "images").rglob("*.png"):
        label = out / "labels" / path.relative_to(out / "images").with_suffix(".txt")
        height, width = cv2.imread(str(path)).shape[:2]
        found[path.name] = []
        for line in label.read_text().splitlines():
            number, x, y, w, h = line.split()
            assert int(number) in names
            x, y, w, h = float(x) * width, float(y) * height, float(w) * width, float(h) * height
            found[path.name].append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
    same(found, boxes, 0.01)


def test_voc_names_its_picture_and_its_size(out: Path, boxes: Boxes) -> None:
    found: Boxes = {}
    for path in out.rglob("*.xml"):
        root = Xml.parse(path).getroot()
        name = root.findtext("filename")
        picture = cv2.imread(str(out / "images" / name))
        assert [int(root.findtext(f"size/{side}")) for side in ("height", "width", "depth")] == list(picture.shape)
        sides = ("xmin", "ymin", "xmax", "ymax")
        found[name] = [tuple(float(o.findtext(f"bndbox/{side}")) for side in sides) for o in root.findall("object")]
    same(found, boxes, 1.01)  # whole pixels, counted from one
