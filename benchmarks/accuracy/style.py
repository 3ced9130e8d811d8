"""Style: what the stages paint against the bare networks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime

from benchmarks.accuracy.lab import Finding, Lab
from visionkit.data import Image

STYLE = 9


def findings(lab: Lab) -> Iterator[Finding]:
    """Of one of 26 styles, and of a painting's."""
    painting = lab.samples / "style" / "starry_night.jpg"
    mixture = np.eye(26, dtype=np.float32)[STYLE]
    nets = {
        "style.fast": ({"style": STYLE}, fast(lab.models, mixture)),
        "style.arbitrary": ({"style": painting}, arbitrary(lab.models, painting)),
    }
    for name, (params, by_hand) in nets.items():
        with lab.stage(name, **params) as stage:
            furthest = max(_apart(stage.run([image])[0], by_hand(image)) for image in lab.sample_photos)
        on = f"{len(lab.sample_photos)} sample photos"
        yield Finding("style", f"`{name}`: furthest from the bare network", furthest, "of 255", most=1, on=on)


def _apart(made: Image, wanted: np.ndarray) -> float:
    return float(np.abs(made.rgb().astype(int) - wanted.astype(int)).max())


@cache
def session(path: Path) -> Any:
    """An ONNX file on one thread, which keeps to itself while it waits."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(path: Path, **inputs: object) -> np.ndarray:
    """The first output of an ONNX file."""
    return np.asarray(session(path).run(None, inputs)[0])


def fast(models: Any, mixture: np.ndarray) -> Any:
    """A function that paints with the network of 26 styles; ``mixture`` (26,) adds up to 1."""

    def paint(image: Image) -> np.ndarray:
        planes = np.ascontiguousarray(image.rgb().transpose(2, 0, 1)[None], np.float32) / 255
        made = run(models.file("styles26"), image=planes, style_weights=mixture)[0].transpose(1, 2, 0)
        return _bytes(made[: image.height, : image.width])

    return paint


def arbitrary(models: Any, style: Path) -> Any:
    """A function that paints in the style of the picture ``style``."""
    painting = cv2.cvtColor(cv2.imread(str(style)), cv2.COLOR_BGR2RGB)
    small = cv2.resize(painting, (256, 256), interpolation=cv2.INTER_AREA)[None].astype(np.float32) / 255
    numbers = run(models.file("arbitrary_style", "arbitrary_predict.onnx"), style_image=small)

    def paint(image: Image) -> np.ndarray:
        content = cv2.resize(image.rgb(), (384, 384), interpolation=cv2.INTER_AREA)[None].astype(np.float32) / 255
        inputs = {"content_image": content, "mobilenet_conv/Conv/BiasAdd": numbers}
        made = _bytes(run(models.file("arbitrary_style", "arbitrary_transform.onnx"), **inputs)[0])
        return np.asarray(cv2.resize(made, (image.width, image.height), interpolation=cv2.INTER_CUBIC))

    return paint


def _bytes(made: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(made, 0, 1) * 255).astype(np.uint8)
