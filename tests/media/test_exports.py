"""Outputs for data work are read back by the tools they are for, in source-frame pixels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from visionkit.data import Canvas, Detections, Failure, Image, Key, Masks, Packet, SemanticMask
from visionkit.errors import SinkError
from visionkit.media.sinks.coco import CocoParams, CocoSink, rle
from visionkit.media.sinks.crops import CropsParams, CropsSink
from visionkit.media.sinks.masks import MasksParams, MasksSink
from visionkit.media.sinks.mot import MotParams, MotSink
from visionkit.media.sinks.parquet import ParquetParams, ParquetSink
from visionkit.media.sinks.voc import VocParams, VocSink
from visionkit.media.sinks.yolo import YoloParams, YoloSink
from visionkit.runtime.cut import unfinish
from visionkit.stage import Sink, SinkContext, SourceInfo

FRAME = Canvas.source(100, 80)
CROP = FRAME.crop(10, 20, 50, 40)
"""Objects are found on a crop, so that a result that is not lifted shows."""


def mask() -> NDArray[np.bool_]:
    found = np.zeros((40, 50), bool)
    found[5:15, 10:30] = True
    return found


def objects(**extra: Any) -> Detections:
    """A cat at (15, 25, 35, 45) and a dog at (20, 30, 60, 60) of the frame."""
    boxes = np.array([[5, 5, 25, 25], [10, 10, 50, 40]])
    return Detections(CROP, boxes, np.array([0.9, 0.5]), np.array([1, 0]), ("dog", "cat"), **extra)


def packet(source: str = "a/x.jpg", index: int = 0, failure: Failure | None = None, **values: Any) -> Packet:
    frame = Image(np.arange(100 * 80 * 3, dtype=np.uint32).reshape(80, 100, 3).astype(np.uint8), "bgr")
    return Packet(Key(source, 0, index), None, source, {"source": frame, **values}, failure)


def written(
    sink: Sink[Any], out: Path, packets: Sequence[Packet], kind: Any = "image", resume: bool = False
) -> list[Path]:
    infos = {each.key.source: SourceInfo(each.key.source, kind, None, each.key.source) for each in packets}
    names = tuple(dict.fromkeys(name for each in packets for name in each.values))
    context = SinkContext(out, names=names, resume=resume, overwrite=resume, keep=True)
    sink.check(context, list(infos.values()))
    sink.open(context)
    for each in packets:
        info = infos[each.key.source]
        sink.write(each, info, sink.prepare(each, info))
    for info in infos.values():
        sink.end(info)
    return sink.close(False)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools with NumPy 2
def test_coco_is_read_by_pycocotools(out: Path) -> None:
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    points = np.array([[[1, 2, 0.9], [3, 4, 0]], [[5, 6, 0.5], [7, 8, 0.5]]])
    found = objects(masks=Masks.from_bitmaps([mask(), ~mask()], CROP), keypoints=points, track_id=np.array([7, 9]))
    failed = packet("c.jpg", failure=Failure("source", "VK320", "broken"))
    packets = [packet("a/x.jpg", detect=found), packet("b.jpg", detect=Detections.empty(FRAME)), failed]
    (path,) = written(CocoSink(CocoParams()), out, packets)
    coco = tools.COCO(str(path))
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == ["a/x.jpg", "b.jpg"]
    assert {c["name"] for c in coco.loadCats(coco.getCatIds())} == {"cat", "dog"}
    cat, dog = coco.loadAnns(coco.getAnnIds())
    assert (cat["bbox"], cat["score"], cat["track_id"]) == ([15.0, 25.0, 20.0, 20.0], 0.9, 7)
    assert cat["keypoints"] == [11.0, 22.0, 2, 0, 0, 0]
    assert (cat["num_keypoints"], dog["num_keypoints"]) == (1, 2)
    whole = np.zeros((80, 100), bool)
    whole[20:60, 10:60] = mask()
    assert (coco.annToMask(cat) == whole).all()
    assert cat["area"] == whole.sum()


def test_coco_polygons_and_frames_of_a_video(out: Path) -> None:
    outline = np.array([[0, 0], [10, 0], [5, 5]])
    found = objects(polygons=(outline, outline + 5))
    (path,) = written(CocoSink(CocoParams()), out, [packet("v.mp4", i, detect=found) for i in range(2)], "video")
    coco = json.loads(path.read_text())
    assert [image["file_name"] for image in coco["images"]] == ["v.mp4#0", "v.mp4#1"]
    assert coco["annotations"][0]["segmentation"] == [[10.0, 20.0, 20.0, 20.0, 15.0, 25.0]]
    assert [a["id"] for a in coco["annotations"]] == [1, 2, 3, 4]


@pytest.mark.parametrize("seed", range(20))
def test_run_lengths_equal_those_of_pycocotools(seed: int) -> None:
    tools = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    noise = np.random.default_rng(seed)
    bits = noise.random(tuple(noise.integers(1, 90, 2))) < noise.choice([0.0, 0.02, 0.5, 0.98, 1.0])
    expected = tools.encode(np.asfortranarray(bits.astype(np.uint8)))
    assert rle(bits) == {"size": expected["size"], "counts": expected["counts"].decode()}


def test_coco_of_two_runs_is_that_of_one(out: Path) -> None:
    packets = [packet(f"{i}.jpg", detect=objects()) for i in range(6)]
    (whole,) = written(CocoSink(CocoParams()), out / "1", packets)
    written(CocoSink(CocoParams()), out / "2", packets[:2])
    unfinish(out / "2", [".visionkit/coco.json.rows"])
    (path,) = written(CocoSink(CocoParams()), out / "2", packets[2:], resume=True)
    assert path.read_bytes() == whole.read_bytes()


def test_yolo_has_shares_of_the_frame_and_names(out: Path) -> None:
    written(YoloSink(YoloParams(scores=True)), out, [packet(detect=objects()), packet("b.jpg")])
    assert (out / "labels/a/x.txt").read_text().splitlines() == [
        "1 0.250000 0.437500 0.200000 0.250000 0.900000",
        "0 0.400000 0.562500 0.400000 0.375000 0.500000",
    ]
    assert (out / "labels/b.txt").read_text() == ""
    assert (out / "data.yaml").read_text() == 'names:\n  0: "dog"\n  1: "cat"\n'
    other = Detections(FRAME, np.array([[0, 0, 9, 9]]), np.ones(1), np.zeros(1), ("bird",))
    written(YoloSink(YoloParams()), out, [packet("n.jpg", detect=other)], resume=True)
    assert (out / "labels/n.txt").read_text().startswith("2 ")
    assert '2: "bird"' in (out / "data.yaml").read_text()


def test_voc_counts_pixels_from_one(out: Path) -> None:
    written(VocSink(VocParams()), out, [packet(detect=objects())])
    root = Xml.parse(out / "annotations/a/x.xml").getroot()
    assert [root.findtext(f"size/{name}") for name in ("width", "height", "depth")] == ["100", "80", "3"]
    assert [root.findtext("folder"), root.findtext("filename")] == ["a", "x.jpg"]
    boxes = {o.findtext("name"): [int(v.text or 0) for v in o.iterfind("bndbox/*")] for o in root.iterfind("object")}
    assert boxes == {"cat": [16, 26, 35, 45], "dog": [21, 31, 60, 60]}


def test_mot_has_tracks(out: Path) -> None:
    found = objects(track_id=np.array([7, 9]))
    (path,) = written(MotSink(MotParams()), out, [packet("v.mp4", i, detect=found) for i in (0, 4)], "video")
    rows = np.loadtxt(path, delimiter=",")
    assert path == out / "mot/v.mp4.txt"
    assert rows[:, 0].tolist() == [1, 1, 5, 5]
    assert rows[0].tolist() == [1, 7, 16, 26, 20, 20, 0.9, -1, -1, -1]


def test_crops_lie_in_folders_of_their_class(out: Path) -> None:
    written(CropsSink(CropsParams(format="png")), out, [packet(detect=objects())])
    cat = cv2.imread(str(out / "crops/cat/a_x.jpg_000000_1.png"))
    assert (cat == packet().values["source"].bgr()[25:45, 15:35]).all()
    assert (out / "crops/dog/a_x.jpg_000000_2.png").exists()
    with pytest.raises(SinkError, match="already"):
        written(CropsSink(CropsParams()), out, [packet(detect=objects())])


def test_masks_of_objects_and_of_classes(out: Path) -> None:
    found = objects(masks=Masks.from_bitmaps([mask(), np.zeros((40, 50), bool)], CROP))
    ids = np.zeros((80, 100), np.int32)
    ids[3, 4] = 300
    classes = SemanticMask(FRAME, ids, tuple(map(str, range(301))))
    written(MasksSink(MasksParams()), out, [packet(detect=found), packet("s.jpg", seg=classes), packet("none.jpg")])
    drawn = cv2.imread(str(out / "masks/a/x.png"), cv2.IMREAD_UNCHANGED)
    assert drawn.shape == (80, 100)
    assert (drawn[25:35, 20:40] == 1).all()
    assert drawn.sum() == 200
    assert cv2.imread(str(out / "masks/s.png"), cv2.IMREAD_UNCHANGED)[3, 4] == 300
    assert not (out / "masks/none.png").exists()


def test_parquet_is_read_by_pandas(out: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    found = objects(columns={"speed": np.array([1.5, np.nan])})
    (path,) = written(ParquetSink(ParquetParams()), out, [packet(detect=found), packet("b.jpg", detect=found)])
    table = pandas.read_parquet(path)
    assert table.shape[0] == 4
    assert table.loc[0, ["source", "class_name", "x1", "y2"]].tolist() == ["a/x.jpg", "cat", 15.0, 45.0]
    assert json.loads(table.loc[0, "more"]) == {"speed": 1.5}
    assert str(table["index"].dtype) == "int64"


def test_a_document_that_is_there_is_not_replaced(out: Path) -> None:
    written(CocoSink(CocoParams()), out, [packet(detect=objects())])
    with pytest.raises(SinkError, match="already"):
        written(CocoSink(CocoParams()), out, [packet(detect=objects())])
