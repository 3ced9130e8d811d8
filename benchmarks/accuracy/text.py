"""Text: what the stages read against what the libraries read, on the same crops."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import av
import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from visionkit.data import Image
from visionkit.lazy import load

EVERY = 20  # frames between the plates that are read


def findings(lab: Lab) -> Iterator[Finding]:
    """Of RapidOCR and EasyOCR on lines of a page, a sign, and number plates."""
    crops = lines(lab)
    rapid, easy = rapidocr_engine(), easyocr_reader(lab.models)
    readers = {
        "ocr.rapidocr": lambda crop: "".join(rapid(crop, use_det=False).txts or ()),
        "ocr.easyocr": lambda crop: "".join(text for _, text, _ in easy.recognize(crop)),
    }
    for name, read in readers.items():
        with lab.stage(name, mode="recognize", min_score=0.0) as stage, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [(one.text or "", read(crop)) for crop, one in zip(crops, _read(stage, crops), strict=True)]
        other = sum(a != b for a, b in found)
        what = f"`{name}`: crops read otherwise than by the library"
        yield Finding("ocr", what, other, most=0, on=f"{len(crops)} lines of a page, a sign and number plates")


def _read(stage: Any, crops: Sequence[np.ndarray]) -> list[Any]:
    return list(stage.run([Image(crop) for crop in crops]))


def lines(lab: Lab) -> list[np.ndarray]:
    """Lines of text cut out of the samples, BGR (h, w, 3)."""
    found: list[np.ndarray] = []
    with lab.stage("ocr.rapidocr") as stage:
        for image in lab.sample_photos:
            polygons = stage.run([image])[0].polygons
            found += [_cut(image.bgr(), [*polygon.min(axis=0), *polygon.max(axis=0)]) for polygon in polygons]
    return found + list(plates(lab))


def plates(lab: Lab) -> Iterator[np.ndarray]:
    """Number plates of traffic.mp4 where its ground truth says that they are in full view."""
    frames = json.loads((lab.samples / "traffic.json").read_text("utf-8"))["frames"]
    with av.open(str(lab.samples / "traffic.mp4")) as video:
        for frame, row in islice(zip(video.decode(video=0), frames, strict=False), 0, None, EVERY):
            for thing in row["objects"]:
                if thing.get("plate", {}).get("visible", 0) == 1:
                    yield _cut(frame.to_ndarray(format="bgr24"), thing["plate"]["box"])


def _cut(pixels: np.ndarray, box: Sequence[float]) -> np.ndarray:
    height, width = pixels.shape[:2]
    x1, y1 = (max(0, int(v)) for v in box[:2])
    x2, y2 = (min(int(np.ceil(v)), end) for v, end in zip(box[2:], (width, height), strict=True))
    return np.ascontiguousarray(pixels[y1:y2, x1:x2])


def rapidocr_engine() -> Any:
    """RapidOCR as its own users call it, on one thread."""
    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1}
    return load("rapidocr").RapidOCR(params={"Global.log_level": "error", **threads})


def easyocr_reader(models: Any) -> Any:
    """EasyOCR as its own users call it, on the files of our store."""
    folder = str(models.file("easyocr_en").parent)
    models.file("easyocr_en", "english_g2.pth")
    return load("easyocr").Reader(
        ["en"],
        gpu=False,
        model_storage_directory=folder,
        user_network_directory=folder,
        download_enabled=False,
        verbose=False,
        quantize=False,
    )
