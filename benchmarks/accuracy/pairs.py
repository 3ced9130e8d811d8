"""Stages, each with the library call that somebody would write in its place."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy import style, text, tracking
from benchmarks.accuracy.classification import ByHand
from benchmarks.accuracy.detection import ssd_by_hand, ssd_network
from benchmarks.accuracy.lab import Lab
from visionkit.data import Detections, Image, Key
from visionkit.lazy import load
from visionkit.weights.contained import load_ultralytics

Pixels = np.ndarray
Call = Callable[[Pixels], Any]


@dataclass(frozen=True)
class Pair:
    """One stage and its library.

    Attributes:
        stage: its name.
        by_hand: makes the bare call, from BGR pixels (H, W, 3) to what the library gives.
        params: of the stage.
        note: what tells it from another pair with the same stage.
        given: what the stage takes beside the picture.
        edges: the picture is one of edges.
        line: the picture is a line of text.
    """

    stage: str
    by_hand: Callable[[Lab], Call]
    params: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    given: str = ""
    edges: bool = False
    line: bool = False

    @property
    def name(self) -> str:
        return f"`{self.stage}`{f' {self.note}' if self.note else ''}"


def _plain(call: Call) -> Callable[[Lab], Call]:
    """A bare call that needs no network."""
    return lambda lab: call


def _gray(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY))


def _clahe(pixels: Pixels) -> Pixels:
    lab = cv2.cvtColor(pixels, cv2.COLOR_BGR2LAB)
    lab[..., 0] = cv2.createCLAHE(2.0, (8, 8)).apply(lab[..., 0])
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2BGR))


def _sharpened(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.addWeighted(pixels, 2.0, cv2.GaussianBlur(pixels, (0, 0), 1.5), -1.0, 0))


def _opened(pixels: Pixels) -> Pixels:
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    return np.asarray(cv2.morphologyEx(pixels, cv2.MORPH_OPEN, element))


def _outlines(pixels: Pixels) -> Any:
    mask = cv2.threshold(_gray(pixels), 127, 255, cv2.THRESH_BINARY)[1]
    return cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]


def _mog2(_: Lab) -> Call:
    model = cv2.createBackgroundSubtractorMOG2(300, 16.0)
    return lambda pixels: model.apply(pixels)


def _dis(_: Lab) -> Call:
    search, before = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST), [np.zeros((480, 640), np.uint8)]

    def flow(pixels: Pixels) -> Any:
        now = _gray(pixels)
        found = search.calc(now, before[0], None)
        before[0] = now
        return found

    return flow


def _compressed(_: Lab) -> Call:
    change = load("albumentations").ImageCompression("jpeg", (60, 60), p=1.0)
    return lambda pixels: change(image=cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))["image"]


def _ssd(lab: Lab) -> Call:
    net = ssd_network(lab.models)
    return lambda pixels: ssd_by_hand(net, Image(pixels), 0.25)


def _yolo(lab: Lab) -> Call:
    net = load_ultralytics().YOLO(str(lab.models.file("yolo11n")))
    return lambda pixels: net.predict(pixels, conf=0.25, iou=0.5, verbose=False)


def _classifier(lab: Lab) -> Call:
    by_hand = ByHand(lab.models)
    return lambda pixels: by_hand.logits(Image(pixels))


def _torch_detector(lab: Lab) -> Call:
    torch, net = load("torch"), lab.models.model("faster_rcnn_mobilenet_bccd", "detect").module

    def run(pixels: Pixels) -> Any:
        rgb = np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).transpose(2, 0, 1))
        with torch.inference_mode():
            return net([torch.from_numpy(rgb).float() / 255])

    return run


def _unet(lab: Lab) -> Call:
    model, torch = lab.models.model("unet_mobilenet_person", "segment"), load("torch")
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (model.spec.mean, model.spec.std))
    high, wide = model.spec.size

    def run(pixels: Pixels) -> Any:
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), (wide, high))
        with torch.inference_mode():
            logits = model.module((torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255 - mean) / std)
        logits = logits[0, 0].numpy()
        return cv2.resize(1 / (1 + np.exp(-logits)), (pixels.shape[1], pixels.shape[0])) >= 0.5

    return run


def _saliency(lab: Lab) -> Call:
    path, spec = lab.models.file("u2netp"), lab.models.catalogue.get("u2netp").preprocessing
    session = style.session(path)
    name, (high, wide) = session.get_inputs()[0].name, spec.size
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)

    def run(pixels: Pixels) -> Any:
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), (wide, high)).astype(np.float32) * spec.scale
        plane = session.run(None, {name: ((small - mean) / std).transpose(2, 0, 1)[None]})[0][0, 0]
        plane = (plane - plane.min()) / (plane.max() - plane.min())
        return cv2.resize(plane, (pixels.shape[1], pixels.shape[0]))

    return run


def _rapidocr(_: Lab) -> Call:
    engine = text.rapidocr_engine()
    return lambda pixels: engine(pixels, use_det=False)


def _easyocr(lab: Lab) -> Call:
    reader = text.easyocr_reader(lab.models)

    def run(pixels: Pixels) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader.recognize(_gray(pixels))

    return run


def _painter(lab: Lab) -> Call:
    paint = style.fast(lab.models, np.eye(26, dtype=np.float32)[style.STYLE])
    return lambda pixels: paint(Image(pixels))


def _annotated(_: Lab) -> Call:
    supervision, objects = load("supervision"), ten_objects(640, 480).to_supervision()
    boxes, labels = supervision.BoxAnnotator(), supervision.LabelAnnotator()
    names = [f"object {score:.2f}" for score in objects.confidence]
    return lambda pixels: labels.annotate(boxes.annotate(pixels.copy(), objects), objects, labels=names)


def _tracked(name: str) -> Callable[[Lab], Call]:
    def make(_: Lab) -> Call:
        tracker, supervision = tracking.TRACKERS[name][1](), load("supervision")
        objects = ten_objects(640, 480)
        boxes, scores = np.array(objects.xyxy), np.array(objects.score)
        sees = name == "track.botsort"

        def run(pixels: Pixels) -> Any:
            given = supervision.Detections(boxes, confidence=scores)
            return tracker.update(given, **({"frame": pixels} if sees else {}))

        return run

    return make


def ten_objects(width: int, height: int) -> Detections:
    """Ten boxes that do not overlap, on a frame of that size."""
    x, y = np.meshgrid(np.arange(5) * width / 5 + 10, np.arange(2) * height / 2 + 10)
    corner = np.stack([x.ravel(), y.ravel()], axis=1)
    boxes = np.concatenate([corner, corner + np.array([80, 120])], axis=1)
    canvas = Image(np.zeros((height, width, 3), np.uint8)).canvas
    return Detections(canvas, boxes, np.full(10, 0.9), np.zeros(10, int))


def key(number: int) -> Key:
    """Of a packet."""
    return Key("a.jpg", 0, number)


PAIRS = (
    Pair("filter.blur", _plain(lambda p: cv2.GaussianBlur(p, (5, 5), 0)), {"size": 5}),
    Pair("filter.median", _plain(lambda p: cv2.medianBlur(p, 5)), {"size": 5}),
    Pair("filter.bilateral", _plain(lambda p: cv2.bilateralFilter(p, 9, 50, 5))),
    Pair("filter.clahe", _plain(_clahe)),
    Pair("filter.sharpen", _plain(_sharpened)),
    Pair("filter.morphology", _plain(_opened), {"op": "open", "size": 5}),
    Pair("filter.threshold", _plain(lambda p: cv2.threshold(_gray(p), 127, 255, cv2.THRESH_OTSU)[1])),
    Pair("filter.adaptive_threshold", _plain(lambda p: cv2.adaptiveThreshold(_gray(p), 255, 1, 0, 25, 10))),
    Pair("edges.canny", _plain(lambda p: cv2.Canny(_gray(p), 50, 150)), {"low": 50, "high": 150}),
    Pair(
        "resize",
        _plain(lambda p: cv2.resize(p, (320, 240), interpolation=cv2.INTER_AREA)),
        {"width": 320, "height": 240},
    ),
    Pair("flip", _plain(lambda p: cv2.flip(p, 1))),
    Pair("contours", _plain(_outlines)),
    Pair("hough.lines", _plain(lambda p: cv2.HoughLinesP(_gray(p), 1, np.pi / 180, 50, None, 30, 5)), edges=True),
    Pair("background.mog2", _mog2),
    Pair("flow.dis", _dis),
    Pair("read.qr", _plain(lambda p: cv2.QRCodeDetector().detectAndDecodeMulti(_gray(p)))),
    Pair("augment.jpeg", _compressed, {"quality": (60, 60), "probability": 1}, given="key"),
    Pair("classify", _classifier, {"weights": "mobilenet_v2"}, "MobileNet v2, torchvision"),
    Pair("detect", _ssd, {}, "SSD MobileNet v2, OpenCV"),
    Pair("detect", _yolo, {"weights": "yolo11n"}, "YOLO11n, Ultralytics"),
    Pair("detect", _torch_detector, {"weights": "faster_rcnn_mobilenet_bccd"}, "our Faster R-CNN, torch"),
    Pair("segment", _unet, {}, "our U-Net, torch"),
    Pair("matte", _saliency, {}, "U²-Netp, ONNX Runtime"),
    Pair("style.fast", _painter, {"style": style.STYLE}, "26 styles, ONNX Runtime"),
    Pair("ocr.rapidocr", _rapidocr, {"mode": "recognize"}, "one line, RapidOCR", line=True),
    Pair("ocr.easyocr", _easyocr, {"mode": "recognize"}, "one line, EasyOCR", line=True),
    *(Pair(name, _tracked(name), params, "10 objects", "objects") for name, (params, _) in tracking.TRACKERS.items()),
    Pair("draw.boxes", _annotated, {}, "10 objects, supervision", "objects"),
)
