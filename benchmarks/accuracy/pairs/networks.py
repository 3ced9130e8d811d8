"""Networks, each with what its own users write: the library's call, or the bare session with its preparation."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy import style, text
from benchmarks.accuracy.classification import ByHand
from benchmarks.accuracy.detection import ssd_by_hand, ssd_network
from benchmarks.accuracy.pairs.pair import Call, Pair, Pixels
from benchmarks.accuracy.pairs.pictures import gray
from benchmarks.accuracy.scene import Scene
from visionkit.data import Image
from visionkit.lazy import load
from visionkit.weights.contained import load_ultralytics


def _ssd(scene: Scene) -> Call:
    net = ssd_network(scene.lab.models)
    return lambda pixels: ssd_by_hand(net, Image(pixels), 0.25)


def _yolo(scene: Scene) -> Call:
    net = load_ultralytics().YOLO(str(scene.lab.models.file("yolo11n")))
    return lambda pixels: net.predict(pixels, conf=0.25, iou=0.5, verbose=False)


def _classifier(scene: Scene) -> Call:
    by_hand = ByHand(scene.lab.models)
    return lambda pixels: by_hand.logits(Image(pixels))


def _grad_cam(scene: Scene) -> Call:
    """Gradients of the best class to the last convolution: the recipe of torch's own hooks."""
    torch, by_hand, seen = load("torch"), ByHand(scene.lab.models), {}
    net = by_hand.net.to(memory_format=load("torch").channels_last).requires_grad_(False)
    last = [part for part in net.modules() if isinstance(part, torch.nn.Conv2d)][-1]
    last.register_forward_hook(lambda _, __, out: seen.setdefault("out", out.detach().requires_grad_()))

    def run(pixels: Pixels) -> Any:
        seen.clear()
        planes = by_hand._prepare(load("PIL.Image").fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB)))
        with torch.enable_grad():
            score = net(planes[None].contiguous(memory_format=torch.channels_last)).max()
            (gradient,) = torch.autograd.grad(score, seen["out"])
        heat = (gradient.mean((2, 3), keepdim=True) * seen["out"].detach()).sum(1).relu()[0].numpy()
        return cv2.resize(heat / heat.max(), (pixels.shape[1], pixels.shape[0]))

    return run


def _torch_detector(scene: Scene) -> Call:
    torch, net = load("torch"), scene.lab.models.model("faster_rcnn_mobilenet_bccd", "detect").module

    def run(pixels: Pixels) -> Any:
        rgb = np.ascontiguousarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).transpose(2, 0, 1))
        with torch.inference_mode():
            return net([torch.from_numpy(rgb).float() / 255])

    return run


def _unet(scene: Scene) -> Call:
    model, torch = scene.lab.models.model("unet_mobilenet_person", "segment"), load("torch")
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (model.spec.mean, model.spec.std))
    high, wide = model.spec.size

    def run(pixels: Pixels) -> Any:
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), (wide, high))
        with torch.inference_mode():
            logits = model.module((torch.from_numpy(small).permute(2, 0, 1)[None].float() / 255 - mean) / std)
        logits = logits[0, 0].numpy()
        return cv2.resize(1 / (1 + np.exp(-logits)), (pixels.shape[1], pixels.shape[0])) >= 0.5

    return run


def _contours(scene: Scene) -> Call:
    model, torch = scene.lab.models.model("hed", "edges"), load("torch")
    mean = torch.tensor(model.spec.mean).view(1, 3, 1, 1)

    def run(pixels: Pixels) -> Any:
        planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float() - mean
        with torch.inference_mode():
            return (model.module(planes)[0, 0].numpy() * 255).astype(np.uint8)

    return run


def _saliency(scene: Scene) -> Call:
    path, spec = scene.lab.models.file("u2netp"), scene.lab.models.catalogue.get("u2netp").preprocessing
    session = style.session(path)
    name, (high, wide) = session.get_inputs()[0].name, spec.size
    mean, std = np.array(spec.mean, np.float32), np.array(spec.std, np.float32)

    def run(pixels: Pixels) -> Any:
        small = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), (wide, high)).astype(np.float32) * spec.scale
        plane = session.run(None, {name: ((small - mean) / std).transpose(2, 0, 1)[None]})[0][0, 0]
        plane = (plane - plane.min()) / (plane.max() - plane.min())
        return cv2.resize(plane, (pixels.shape[1], pixels.shape[0]))

    return run


def _behind(scene: Scene, background: Callable[[Pixels, Pixels], Pixels]) -> Call:
    """``background`` of pixels and matte, and the subject before it."""
    alpha = np.array(scene.matte.alpha)
    return lambda pixels: cv2.blendLinear(pixels, background(pixels, alpha), alpha, 1 - alpha)


def _blurred(pixels: Pixels, alpha: Pixels) -> Pixels:
    away = (1 - alpha)[..., None]
    weight = cv2.blur(away, (19, 19))[..., None] + 1e-4
    return np.clip(cv2.blur(pixels * away, (19, 19)) / weight, 0, 255).astype(np.uint8)


def _rapidocr(_: Scene) -> Call:
    engine = text.rapidocr_engine()
    return lambda pixels: engine(pixels, use_det=False)


def _easyocr(scene: Scene) -> Call:
    reader = text.easyocr_reader(scene.lab.models)

    def run(pixels: Pixels) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return reader.recognize(gray(pixels))

    return run


def _painter(scene: Scene) -> Call:
    paint = style.fast(scene.lab.models, np.eye(26, dtype=np.float32)[style.STYLE])
    return lambda pixels: paint(Image(pixels))


def _upscaler(scene: Scene) -> Call:
    session = style.session(scene.lab.models.file("realesr_x4"))

    def run(pixels: Pixels) -> Any:
        planes = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB).transpose(2, 0, 1)[None].astype(np.float32) / 255
        made = session.run(None, {"image": planes})[0][0].transpose(1, 2, 0)
        return np.rint(np.clip(made, 0, 1) * 255).astype(np.uint8)

    return run


STARRY = "style/starry_night.jpg"


def _arbitrary(scene: Scene) -> Call:
    paint = style.arbitrary(scene.lab.models, scene.lab.samples / STARRY)
    return lambda pixels: paint(Image(pixels))


NETWORKS = (
    Pair("detect", _ssd, {}, "SSD MobileNet v2, OpenCV"),
    Pair("detect", _yolo, {"weights": "yolo11n"}, "YOLO11n, Ultralytics"),
    Pair("detect", _torch_detector, {"weights": "faster_rcnn_mobilenet_bccd"}, "our Faster R-CNN, torch"),
    Pair("classify", _classifier, {"weights": "mobilenet_v2"}, "MobileNet v2, torchvision"),
    Pair("classify.gradcam", _grad_cam, {}, "MobileNet v2, torch"),
    Pair("segment", _unet, {}, "our U-Net, torch"),
    Pair("edges.hed", _contours, {}, "torch"),
    Pair("matte", _saliency, {}, "U²-Netp, ONNX Runtime"),
    Pair("background.blur", lambda scene: _behind(scene, _blurred), {}, "", ("image", "matte")),
    Pair(
        "background.replace",
        lambda scene: _behind(scene, lambda p, _: np.full_like(p, (0, 128, 0))),
        {},
        "",
        ("image", "matte"),
    ),
    Pair("style.arbitrary", _arbitrary, {"style": f"{{samples}}/{STARRY}"}, "ONNX Runtime"),
    Pair("style.fast", _painter, {"style": style.STYLE}, "26 styles, ONNX Runtime"),
    Pair("restore", _upscaler, {"tile": 1024}, "Real-ESRGAN × 4 of a line, ONNX Runtime", picture="line"),
    Pair("ocr.rapidocr", _rapidocr, {"mode": "recognize"}, "one line, RapidOCR", picture="line"),
    Pair("ocr.easyocr", _easyocr, {"mode": "recognize"}, "one line, EasyOCR", picture="line"),
)
