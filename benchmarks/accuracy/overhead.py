"""What a stage costs over the library call in its place: processor time on one thread, medians of runs in turn."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

import cv2
import numpy as np

from benchmarks.accuracy.lab import Finding, Lab
from benchmarks.accuracy.pairs import MORE, PAIRS, WITHOUT, Pair
from benchmarks.accuracy.scene import Scene, picture
from benchmarks.timing import Sample, figure, in_turn, ratio
from visionkit.backends import ModelCache, Settings
from visionkit.lazy import load
from visionkit.runtime.threads import keep_memory
from visionkit.stage import BatchStage
from visionkit.weights import Catalogue, Store

LEAST, SPENT = 0.01, 1.5  # seconds: of one run, and of a pair in all
ROUNDS = 9, 51
SHARE, EXTRA = 1.1, 0.06
"""A stage may cost so many times its library's call, and so many milliseconds on top."""


def findings(lab: Lab) -> Iterator[Finding]:
    """Of all pairs, on a photo of 640 × 480; and how many stages have none."""
    if hasattr(os, "getloadavg"):
        yield Finding("overhead", "load of the machine when this began", os.getloadavg()[0], on="below: ours / library")
    lab = Lab(lab.data, ModelCache(Catalogue.load(), Store(), Settings(threads=1)))
    with one_thread():
        for pair in PAIRS:
            yield one(lab, pair)
            lab.models.close()  # networks of one pair are not in the way of the next
    for name, reason in WITHOUT.items():
        yield Finding("overhead", f"`{name}`: no library's call", 0, on=reason)


def one(lab: Lab, pair: Pair) -> Finding:
    """Of one pair."""
    scene = Scene(lab, picture(lab, pair.picture))
    try:
        with lab.stage(pair.stage, **params(pair, scene)) as stage:
            gc.collect()  # what others left lying is no part of it
            return measured(pair, ours(pair, stage, scene), pair.by_hand(scene), scene.pixels)
    finally:
        scene.close()


def params(pair: Pair, scene: Scene) -> dict[str, Any]:
    """Those of the stage, with the places of this machine filled in."""
    places = {"folder": scene.folder, "samples": scene.lab.samples}
    return {key: value.format(**places) if isinstance(value, str) else value for key, value in pair.params.items()}


@contextmanager
def one_thread() -> Iterator[None]:
    """OpenCV, torch and ONNX Runtime keep to one thread, or at least one core: such ratios hold on a busy machine.

    Freed memory is kept, as a run keeps it: who gives a picture back to the system and takes it again pays for every
    page, by chance one side or the other.
    """
    keep_memory()
    places = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if places:
        os.sched_setaffinity(0, {min(places)})
    torch, before = load("torch"), cv2.getNumThreads()
    torch_before = torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        if places:
            os.sched_setaffinity(0, places)
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
    over, bare_ms = ratio(found["ours"], found["bare"]), figure(found["bare"], factor=1e3).value
    on, more = f"{over.value:.2f} × [{over.low:.2f}, {over.high:.2f}]", MORE.get(pair.stage)
    on, most = (f"{on}; besides: {more}", None) if more else (on, round(SHARE * bare_ms + EXTRA, 4))
    ours_ms = over.value * bare_ms  # pairs are neighbours in time: what slowed the one slowed the other
    return Finding("overhead", pair.name, ours_ms, "ms", bare_ms, most=most, on=on)


def _seconds(call: Callable[[Any], Any], pixels: np.ndarray, times: int) -> float:
    """Of processor time, which other programs hardly change."""
    start = time.process_time()
    for _ in range(times):
        call(pixels)
    return time.process_time() - start


def ours(pair: Pair, stage: Any, scene: Scene) -> Callable[[np.ndarray], Any]:
    """The stage as the engine calls it: on a new picture each time, so that nothing is kept from the one before."""
    if isinstance(stage, BatchStage):
        return lambda _: stage.run([scene.image])[0]
    if len(pair.takes) == 1:
        given = attrgetter(pair.takes[0])
        return lambda _: stage.run(given(scene))
    several = attrgetter(*pair.takes)
    return lambda _: stage.run(*several(scene))
