"""Every family of detectors against its library called by hand."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from visionkit.backends import ModelCache, Settings, load_model, nms_rotated
from visionkit.data import Image
from visionkit.data.geometry import box_corners, iou
from visionkit.errors import WeightsError
from visionkit.lazy import cv2
from visionkit.stages.detect.decoders import View, _yolo_extras, yolo, yolo_end2end, yolov5
from visionkit.stages.detect.detect import Detect, DetectParams
from visionkit.weights import Catalogue, Entry, FileSpec, Preprocessing, Source, Store


def entry_for(path: Path, **changes: Any) -> Entry:
    """An entry for a file on this machine."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    spec = FileSpec(name=path.name, size=path.stat().st_size, sha256=digest, sources=(Source(bundled=path.name),))
    values = {
        "name": "mine",
        "task": "detect",
        "architecture": "a test",
        "licence": "none",
        "files": (spec,),
        "preprocessing": Preprocessing(fit="none"),
        "folder": path.parent,
    }
    return Entry(**{**values, **changes})


def detector(entry: Entry, path: Path, **params: Any) -> Detect:
    """The stage, opened on a network that is in no catalogue."""
    model = load_model(entry, (path,), Settings())

    class Context:
        def model(self, name: str, task: str) -> Any:
            return model

    stage = Detect(DetectParams(**params))
    stage.open(Context())
    return stage


def noise(width: int, height: int, seed: int = 0) -> Image:
    small = np.random.default_rng(seed).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    return Image(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


# YOLO


@pytest.mark.parametrize("name", ["yolo11n", "yolo11n-seg", "yolo11n-pose", "yolo26n"])
def test_yolo_equals_ultralytics_own_predictor(opened, models, photos, name) -> None:
    ultralytics = pytest.importorskip("ultralytics")
    stage = opened(Detect(DetectParams(weights=name, min_score=0.4, iou=0.6)))
    theirs = ultralytics.YOLO(str(models.file(name)))
    total = 0
    for image in photos[3:7]:
        (found,) = stage.run([image])
        wanted = theirs.predict(image.bgr().copy(), conf=0.4, iou=0.6, imgsz=640, verbose=False)[0]
        assert sorted(found.class_id.tolist()) == sorted(wanted.boxes.cls.int().tolist())
        overlap = iou(found.xyxy, wanted.boxes.xyxy.numpy())
        for row in range(len(found)):
            match = int(overlap[row].argmax())
            np.testing.assert_allclose(found.xyxy[row], wanted.boxes.xyxy[match].numpy(), atol=1.0)
            assert found.score[row] == pytest.approx(float(wanted.boxes.conf[match]), abs=0.02)
            if found.keypoints is not None:
                points = np.clip(found.keypoints[row, :, :2], 0, [image.width, image.height])  # theirs are cut off
                np.testing.assert_allclose(points, wanted.keypoints.xy[match].numpy(), atol=2.5)
            if found.masks is not None:
                ours = found.masks.items[row].rasterised(image.canvas)
                canvas = np.zeros((image.height, image.width), np.uint8)
                cv2.fillPoly(canvas, [wanted.masks.xy[match].astype(np.int32)], (1,))
                both = (ours & (canvas > 0)).sum() / max(1, (ours | (canvas > 0)).sum())
                assert both > 0.85
        total += len(found)
    assert total >= 2


def test_yolo_in_onnx_needs_no_torch_and_agrees_with_itself(opened, photos) -> None:
    stage = opened(Detect(DetectParams(weights="yolov8n_onnx", min_score=0.4)))
    assert stage._model.backend == "onnxruntime"
    for image, together in zip(photos, stage.run(photos), strict=True):
        (alone,) = stage.run([image])
        np.testing.assert_allclose(together.xyxy, alone.xyxy, atol=0.5)


def test_a_strange_pickle_runs_nothing(tmp_path) -> None:
    pytest.importorskip("ultralytics")
    torch = pytest.importorskip("torch")
    touched = tmp_path / "touched"

    class Evil:
        def __reduce__(self):
            return (Path.touch, (touched,))

    bad = tmp_path / "bad.pt"
    torch.save({"model": Evil()}, bad, pickle_module=pickle)
    with pytest.raises(WeightsError, match="could run any code"):
        load_model(entry_for(bad, loader="ultralytics"), (bad,), Settings())
    assert not touched.exists()


# torchvision, freshly initialised and saved: the loaders and decoders with the real architecture


def fresh(tmp_path: Path, name: str, favour: str, spread: float = 1.0, **build: Any) -> tuple[Path, Any]:
    """A torchvision detector that is keen on class 1, and its file; its scores lie ``spread`` times as far apart."""
    torch = pytest.importorskip("torch")
    models = pytest.importorskip("torchvision").models
    torch.manual_seed(0)
    net = models.get_model(name, weights=None, weights_backbone=None, num_classes=3, **build).eval()
    tensors = dict(net.named_parameters())
    for key in [key for key in tensors if key.endswith(favour)]:
        tensors[key].data.view(-1, 3)[:, 1] += 3.0
        tensors[key.replace("bias", "weight")].data *= spread
    path = tmp_path / f"{name}.pth"
    torch.save(net.state_dict(), path)
    return path, net


SMALL = {"min_size": 96, "max_size": 128}
TORCHVISION = {
    "fasterrcnn_mobilenet_v3_large_320_fpn": ("cls_score.bias", 1, {"min_size": 160, "max_size": 200}),
    "ssdlite320_mobilenet_v3_large": ("classification_head.module_list.0.1.bias", 1, {}),
    "maskrcnn_resnet50_fpn": ("cls_score.bias", 1, SMALL),
    "keypointrcnn_resnet50_fpn": ("cls_score.bias", 1, SMALL | {"box_detections_per_img": 20}),
    "retinanet_resnet50_fpn": ("classification_head.cls_logits.bias", 30, SMALL),
    "fcos_resnet50_fpn": ("classification_head.cls_logits.bias", 30, SMALL),
    "ssd300_vgg16": ("classification_head.module_list.0.bias", 1, {}),
}
"""Network: the bias that favours a class, how much to spread the scores, how to build it."""


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_equals_the_network_called_by_hand(tmp_path, name) -> None:
    favour, spread, build = TORCHVISION[name]
    path, net = fresh(tmp_path, name, favour, spread, **build)
    import torch

    names = ("background", "cell", "dish")
    entry = entry_for(path, loader=f"torchvision:{name}", classes=names, settings={"build": build})
    stage = detector(entry, path, min_score=0.1, iou=1.0)
    images = [noise(200, 120, 1), noise(120, 200, 2), noise(200, 120, 3)][: 3 if "mobilenet" in name else 1]
    together = stage.run(images)
    for image, found in zip(images, together, strict=True):
        with torch.inference_mode():
            wanted = net([torch.from_numpy(image.rgb().copy()).permute(2, 0, 1) / 255])[0]
        keep = wanted["scores"] >= 0.1
        assert int(keep.sum()) > 0
        assert len(found) == int(keep.sum())
        np.testing.assert_allclose(found.score, wanted["scores"][keep].numpy(), atol=1e-3)
        boxes = wanted["boxes"][keep].numpy()
        apart = np.abs(found.xyxy[:, None] - boxes).max(axis=2)
        assert (apart.min(axis=1) < 0.5).mean() > 0.98, "but for the last places, where scores are equal"
        if "masks" in wanted:
            theirs = wanted["masks"][keep][0, 0].numpy() > 0.5
            assert (found.masks.items[0].rasterised(image.canvas) ^ theirs).mean() < 0.02
        if "keypoints" in wanted:
            theirs = wanted["keypoints"][keep].numpy()[apart.argmin(axis=1)]
            moved = np.linalg.norm(found.keypoints[..., :2] - theirs[..., :2], axis=2)
            assert np.median(moved) < 0.1, "but for two peaks that are equally high"


def test_an_unknown_network_and_a_file_that_does_not_fit(tmp_path) -> None:
    path, _ = fresh(tmp_path, "ssdlite320_mobilenet_v3_large", "nothing")
    for loader, message in [
        ("torchvision:fasterrcnn_mobilnet_v3", "torchvision has no network"),
        ("torchvision:resnet18", "does not fit the network"),
        ("nets:detectors.nothing", "visionkit.nets has no"),
        ("magic", "there is no loader"),
        ("onnx", "ONNX Runtime cannot read"),
    ]:
        with pytest.raises(WeightsError, match=message):
            load_model(entry_for(path, loader=loader, classes=("a", "b")), (path,), Settings())


# Small graphs, where their files are at hand


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory, shared_data) -> ModelCache:
    """A store that finds the files of shared/data."""
    mirror = tmp_path_factory.mktemp("mirror")
    for name, file in [("fastestdet", "FastestDet.onnx"), ("ultraface_320", "version-RFB-320.onnx")]:
        (mirror / name).mkdir()
        (mirror / name / file).write_bytes((shared_data / "weights" / file).read_bytes())
    return ModelCache(Catalogue.load(), Store(cache_dir=tmp_path_factory.mktemp("cache"), mirror=str(mirror)))


def street(shared_data: Path) -> Image:
    return Image(cv2.imread(str(sorted((shared_data / "coco128" / "images").glob("*.jpg"))[34])))


class Mirrored:
    def __init__(self, cache: ModelCache) -> None:
        self.cache = cache

    def model(self, name: str, task: str) -> Any:
        return self.cache.model(name, task)


def test_fastestdet_as_its_own_sample_decodes_it(mirrored, shared_data) -> None:
    stage = Detect(DetectParams(weights="fastestdet", min_score=0.5, iou=1.0))
    stage.open(Mirrored(mirrored))
    image = street(shared_data)
    (found,) = stage.run([image])
    planes = cv2.resize(image.bgr(), (352, 352)).transpose(2, 0, 1).astype(np.float32) / 255
    cells = stage._model._session.run(None, {stage._model._input.name: planes[None]})[0][0].transpose(1, 2, 0)
    wanted = []
    for y in range(22):
        for x in range(22):
            data = cells[y, x]
            score = data[0] ** 0.6 * data[5:].max() ** 0.4
            if score >= 0.5:
                cx, cy = (x + np.tanh(data[1])) / 22, (y + np.tanh(data[2])) / 22
                w, h = 1 / (1 + np.exp(-data[3])), 1 / (1 + np.exp(-data[4]))
                box = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]) * ([image.width, image.height] * 2)
                wanted.append((score, int(data[5:].argmax()), np.clip(box, 0, [image.width, image.height] * 2)))
    wanted.sort(key=lambda row: -row[0])
    assert len(found) == len(wanted) > 2
    np.testing.assert_allclose(found.score, [row[0] for row in wanted], atol=1e-4)
    np.testing.assert_allclose(found.xyxy, [row[2] for row in wanted], atol=0.05)
    assert "person" in found.class_name


def test_faces(mirrored, opened, shared_data) -> None:
    image = street(shared_data)
    stage = Detect(DetectParams(weights="ultraface_320", min_score=0.7, iou=0.3))
    stage.open(Mirrored(mirrored))
    (light,) = stage.run([image])
    (centre,) = opened(Detect(DetectParams(weights="centerface", min_score=0.5, iou=0.3))).run([image])
    assert len(light) == len(centre) == 2
    overlap = iou(light.xyxy, centre.xyxy).max(axis=1)
    assert overlap.min() > 0.4, "two networks that know nothing of each other agree"
    for box, points in zip(centre.xyxy, centre.keypoints, strict=True):
        assert ((points[:, :2] > box[:2]) & (points[:, :2] < box[2:])).all(), "landmarks lie in the face"
        assert points[0, 1] < points[3, 1], "eyes above the mouth"
        assert points[0, 0] < points[1, 0]


# Decoders by numbers


def view(**changes: Any) -> View:
    return View(**{"row": 0, "width": 64, "height": 64, "min_score": 0.3, "classes": 2, "settings": {}, **changes})


def test_yolo_layouts_say_the_same() -> None:
    v8 = np.array([[[32.0, 10], [30, 10], [20, 4], [10, 4], [0.9, 0.1], [0.2, 0.2]]], np.float32)
    end2end = np.array([[[22, 25, 42, 35, 0.9, 0], [8, 8, 12, 12, 0.2, 1]]], np.float32)
    v5 = np.array([[[32, 30, 20, 10, 1.0, 0.9, 0.2], [10, 10, 4, 4, 0.2, 0.9, 0.9]]], np.float32)
    for decode, output in [(yolo.decode, v8), (yolo_end2end.decode, end2end), (yolov5.decode, v5)]:
        found = decode((output,), view())
        np.testing.assert_allclose(found.xyxy, [[22, 25, 42, 35]])
        assert found.class_id.tolist() == [0]
        assert found.score.tolist() == pytest.approx([0.9])
        assert not (decode((output,), view(min_score=0.99)).score >= 0.99).any()


def test_a_box_may_count_for_several_classes() -> None:
    v8 = np.array([[[32.0, 10], [30, 10], [20, 4], [10, 4], [0.9, 0.1], [0.5, 0.2]]], np.float32)
    v5 = np.array([[[32, 30, 20, 10, 1.0, 0.9, 0.5], [10, 10, 4, 4, 0.2, 0.5, 0.9]]], np.float32)
    for decode, output in [(yolo.decode, v8), (yolov5.decode, v5)]:
        found = decode((output,), view(multi_label=True))
        assert found.class_id.tolist() == [0, 1]
        assert found.score.tolist() == pytest.approx([0.9, 0.5])
        np.testing.assert_allclose(found.xyxy, [[22, 25, 42, 35]] * 2)


def test_rotated_boxes() -> None:
    angle = np.pi / 6
    rows = np.array([[[32.0], [30], [20], [10], [0.9], [0.2], [angle]]], np.float32)
    found = yolo.decode((rows,), view())
    expected = cv2.boxPoints(((32, 30), (20, 10), 30))
    for corner in found.corners[0]:
        assert np.linalg.norm(expected - corner, axis=1).min() < 1e-3
    flat = _yolo_extras._corners(np.array([[1.0, 2, 5, 4]]), np.zeros(1))
    np.testing.assert_allclose(flat, box_corners(np.array([[1, 2, 5, 4]])))


def test_rotated_nms_keeps_neighbours_whose_hulls_overlap() -> None:
    boxes = np.array([[0, 0, 100, 8], [0, 12, 100, 20], [2, 0, 102, 8]], float)
    corners = box_corners(boxes)
    turn = np.array([[0.7071, 0.7071], [-0.7071, 0.7071]])
    corners = (corners @ turn).astype(np.float32)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert nms_rotated(corners, scores, None, 0.5).tolist() == [0, 1]
    assert nms_rotated(corners, scores, np.array([0, 0, 1]), 0.5).tolist() == [0, 1, 2]
    assert nms_rotated(corners, scores, None, 1.0).tolist() == [0, 1, 2]
