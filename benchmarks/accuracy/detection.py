"""Detectors: boxes of SSD against OpenCV's own call, mAP of YOLO against Ultralytics' own validation."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from visionkit.data import Detections, Image
from visionkit.lazy import load
from visionkit.weights.contained import load_ultralytics

SSD_FILES = "frozen_inference_graph.pb", "ssd_mobilenet_v2_coco_2018_03_29.pbtxt"
AS_VALIDATED = {"min_score": 0.001, "iou": 0.7, "top_k": 300, "multi_label": True, "margin": 16}
"""What Ultralytics' validation does; ``margin``: its bars are half a stride wide on each side at least."""


def findings(lab: Lab) -> Iterator[Finding]:
    """Of SSD MobileNet v2 and of YOLO11n on COCO128."""
    yield from _ssd(lab)
    yield from _yolo(lab)


def ssd_network(models: Any) -> Any:
    """SSD MobileNet v2 as OpenCV reads it."""
    return cv2.dnn.readNetFromTensorflow(*(str(models.file("ssd_mobilenet_v2", name)) for name in SSD_FILES))


def ssd_by_hand(net: Any, image: Image, min_score: float) -> np.ndarray:
    """cv2.dnn as its own samples call it: rows (N, 6) of class, score, box, best first."""
    net.setInput(cv2.dnn.blobFromImage(image.bgr(), size=(300, 300), swapRB=True))
    rows = net.forward()[0, 0]
    rows = rows[rows[:, 2] >= min_score]
    size = np.array([image.width, image.height] * 2, np.float32)
    found = np.concatenate([rows[:, 1:3], np.clip(rows[:, 3:7] * size, 0, size)], axis=1)
    return found[np.argsort(-found[:, 1], kind="stable")]


def _ssd(lab: Lab) -> Iterator[Finding]:
    net, boxes, off, moved = ssd_network(lab.models), 0, 0, 0.0
    with lab.stage("detect", iou=1.0, min_score=0.3) as stage:
        for image in lab.photos:
            found, wanted = stage.run([image])[0], ssd_by_hand(net, image, 0.3)
            boxes += len(wanted)
            if found.class_id.tolist() != wanted[:, 0].astype(int).tolist():
                off += 1
            elif len(wanted):
                moved = max(moved, float(np.abs(found.xyxy - wanted[:, 2:]).max()))
    on = f"COCO128, {boxes} boxes"
    yield Finding("detect", "SSD MobileNet v2: photos with other objects than OpenCV's own call", off, most=0, on=on)
    yield Finding("detect", "SSD MobileNet v2: furthest a box's edge lies from there", moved, "px", most=0.05, on=on)


def _yolo(lab: Lab) -> Iterator[Finding]:
    path, data = lab.models.file("yolo11n"), lab.data / "coco128"
    alone, together = validated(path, data, batch=1), validated(path, data)
    with lab.stage("detect", weights="yolo11n", **AS_VALIDATED) as stage:
        found = [stage.run([image])[0] for image in lab.photos]
    ours = scored(found, [truth(photo, image) for photo, image in zip(lab.photo_paths, lab.photos, strict=True)])
    on = "COCO128; library: Ultralytics' own `val(batch=1)`, its metric for both"
    yield Finding("detect", "YOLO11n: mAP50-95", ours.map, library=alone.map, apart=0.005, on=on)
    yield Finding("detect", "YOLO11n: mAP50", ours.map50, library=alone.map50, apart=0.005, on=on)
    on = "the same, but `val()`, which pads 16 photos to one shape"
    yield Finding("detect", "YOLO11n: mAP50-95", ours.map, library=together.map, on=on)


def validated(weights: Path, data: Path, **options: Any) -> Any:
    """What ``YOLO(weights).val()`` gives, with the data set laid out as it wants it."""
    ultralytics = load_ultralytics()
    with TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
        folder, net = Path(place), ultralytics.YOLO(str(weights))
        for name, there in (("images", data / "images"), ("labels", data / "labels" / "boxes")):
            (folder / name).mkdir()
            for path in there.iterdir():
                (folder / name / path.name).symlink_to(path.resolve())
        names = "".join(f"  {number}: {name}\n" for number, name in net.names.items())
        (folder / "data.yaml").write_text(f"path: {folder}\ntrain: images\nval: images\nnames:\n{names}")
        options |= {"data": str(folder / "data.yaml"), "project": str(folder), "device": "cpu", "workers": 0}
        return net.val(plots=False, verbose=False, **options).box


def truth(photo: Path, image: Image) -> np.ndarray:
    """The labels of a photo of COCO128: rows (N, 5) of class, box in pixels."""
    path = photo.parent.parent / "labels" / "boxes" / f"{photo.stem}.txt"
    text = path.read_text() if path.exists() else ""
    rows = np.unique(np.array([line.split() for line in text.splitlines()], np.float64).reshape(-1, 5), axis=0)
    size = np.array([image.width, image.height])
    centre, half = rows[:, 1:3] * size, rows[:, 3:5] * size / 2
    return np.concatenate([rows[:, :1], centre - half, centre + half], axis=1)


def scored(found: Sequence[Detections], truths: Sequence[np.ndarray]) -> Any:
    """Ultralytics' metric on detections that did not come from Ultralytics."""
    torch, metrics = load("torch"), load_ultralytics("ultralytics.utils.metrics")
    judge = load_ultralytics("ultralytics.models.yolo.detect.val").DetectionValidator(
        args={"save": False, "plots": False}
    )
    scores = metrics.DetMetrics(dict(enumerate(found[0].class_names)))
    for number, (one, labels) in enumerate(zip(found, truths, strict=True)):
        batch = {"bboxes": torch.from_numpy(labels[:, 1:]).float(), "cls": torch.from_numpy(labels[:, 0])}
        preds = {
            "bboxes": torch.from_numpy(one.xyxy.copy()),
            "cls": torch.from_numpy(one.class_id.astype(np.float64)),
            "conf": torch.from_numpy(one.score.copy()),
        }
        scores.update_stats(
            {
                **judge._process_batch(preds, batch),
                "target_cls": labels[:, 0],
                "target_img": np.unique(labels[:, 0]),
                "conf": one.score,
                "pred_cls": one.class_id,
                "im_name": str(number),
            }
        )
    scores.process()
    return scores.box
