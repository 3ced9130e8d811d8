"""What a stage costs over the library call in its place: processor time on one thread, medians of runs in turn."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from benchmarks.accuracy.pairs import PAIRS, Pair, key, ten_objects
from benchmarks.timing import Sample, figure, in_turn, ratio
from visionkit.backends import ModelCache, Settings
from visionkit.data import Image
from visionkit.lazy import load
from visionkit.stage import BatchStage
from visionkit.weights import Catalogue, Store

LEAST, SPENT = 0.01, 3.0  # seconds: of one run, and of a pair in all
ROUNDS = 9, 101


def findings(lab: Lab) -> Iterator[Finding]:
    """Of all pairs, on a photo of 640 × 480."""
    if hasattr(os, "getloadavg"):
        yield Finding("overhead", "load of the machine when this began", os.getloadavg()[0], on="below: ours / library")
    lab = Lab(lab.data, ModelCache(Catalogue.load(), Store(), Settings(threads=1)))
    with one_thread():
        for pair in PAIRS:
            with lab.stage(pair.stage, **pair.params) as stage:
                yield measured(pair, ours(pair, stage), pair.by_hand(lab), picture(lab, pair))


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV and torch keep to one thread: ratios of single threads hold on a busy machine."""
    torch, before = load("torch"), cv2.getNumThreads()
    torch_before = torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
        torch.set_num_threads(torch_before)


def measured(pair: Pair, stage: Callable[[Any], Any], bare: Callable[[Any], Any], pixels: np.ndarray) -> Finding:
    """The two in turn."""
    slower = max(_seconds(stage, pixels, 1), _seconds(bare, pixels, 1), 1e-6)
    slower = max(_seconds(stage, pixels, 1), _seconds(bare, pixels, 1), 1e-6)  # the first one also warms up
    times = max(1, round(LEAST / slower))
    rounds = int(np.clip(SPENT / (2 * times * slower), *ROUNDS))
    jobs = {
        "ours": lambda: Sample(_seconds(stage, pixels, times) / times, 0),
        "bare": lambda: Sample(_seconds(bare, pixels, times) / times, 0),
    }
    found = in_turn(jobs, rounds)
    over, ms = ratio(found["ours"], found["bare"]), {k: figure(v, factor=1e3).value for k, v in found.items()}
    on = f"{over.value:.2f} × [{over.low:.2f}, {over.high:.2f}]"
    return Finding("overhead", pair.name, ms["ours"], "ms", ms["bare"], on=on)


def _seconds(call: Callable[[Any], Any], pixels: np.ndarray, times: int) -> float:
    """Of processor time, which other programs hardly change."""
    start = time.process_time()
    for _ in range(times):
        call(pixels)
    return time.process_time() - start


def ours(pair: Pair, stage: Any) -> Callable[[np.ndarray], Any]:
    """The stage as the engine calls it: on a new picture each time, so that nothing is kept from the one before."""
    objects, numbers = ten_objects(640, 480), count()
    if isinstance(stage, BatchStage):
        return lambda pixels: stage.run([Image(pixels)])[0]
    if pair.given == "key":
        return lambda pixels: stage.run(Image(pixels), key(next(numbers)))
    if pair.given == "objects":
        swapped = pair.stage.startswith("track.")
        return lambda pixels: stage.run(*((objects, Image(pixels)) if swapped else (Image(pixels), objects)))
    return lambda pixels: stage.run(Image(pixels))


def picture(lab: Lab, pair: Pair) -> np.ndarray:
    """What a pair is measured on, BGR."""
    photo = cv2.resize(cv2.imread(str(lab.samples / "photos" / "street.jpg")), (640, 480))
    if pair.edges:
        return np.asarray(cv2.cvtColor(cv2.Canny(photo, 50, 150), cv2.COLOR_GRAY2BGR))
    if pair.line:
        page = cv2.imread(str(lab.samples / "photos" / "sign.jpg"))
        with lab.stage("ocr.rapidocr") as stage:
            box = stage.run([Image(page)])[0].polygons[0]
        (x1, y1), (x2, y2) = box.min(axis=0).astype(int), box.max(axis=0).astype(int)
        return np.ascontiguousarray(page[y1:y2, x1:x2])
    return np.asarray(photo)
