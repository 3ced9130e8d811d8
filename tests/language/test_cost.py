"""What the language costs a frame, beside a bare loop in the same run: medians of interleaved pairs, CPU time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from fractions import Fraction
from statistics import median
from typing import Any

import numpy as np
import pytest

from tests.runtime.conftest import compiled, run_plan
from visionkit.data import Detections, Image
from visionkit.stage import Frame, SourceInfo

OBJECTS = 100
FRAMES = 60
PAIRS = 9
pytestmark = [pytest.mark.alone, pytest.mark.slow]


class Stills:
    """One picture, again and again."""

    name = "stills"
    live = False

    def __init__(self, count: int) -> None:
        self._count = count
        self._info = SourceInfo("stills", "video")
        self.infos = [self._info]
        self._picture = Image(np.zeros((400, 400, 3), np.uint8))

    def frames(self) -> Any:
        for i in range(self._count):
            yield Frame(self._info, i, lambda: self._picture, 1000, Fraction(i, 25))


def grid() -> str:
    boxes = [(20 + 36 * (i % 10), 20 + 36 * (i // 10)) for i in range(OBJECTS)]
    return str([[[x, y], [x + 30, y], [x + 30, y + 30], [x, y + 30]] for x, y in boxes])


def seconds(text: str, count: int) -> float:
    """CPU seconds of a run of all threads."""
    plan = compiled(text)
    started = time.process_time()
    run_plan(plan, [Stills(count)], workers=1)
    return time.process_time() - started


def bare(count: int) -> float:
    """What for_each cannot do without: a view of every box, and a call on it."""
    picture = Image(np.zeros((400, 400, 3), np.uint8))
    xyxy = np.array([[20 + 36 * (i % 10), 20 + 36 * (i // 10)] * 2 for i in range(OBJECTS)], np.float32)
    xyxy[:, 2:] += 30
    objects = Detections(picture.canvas, xyxy, np.ones(OBJECTS), np.zeros(OBJECTS))
    started = time.process_time()
    for _ in range(count):
        for x1, y1, x2, y2 in objects.xyxy.astype(int).tolist():
            _nothing(picture.bgr()[y1:y2, x1:x2])
    return time.process_time() - started


def _nothing(pixels: Any) -> Any:
    return pixels


def report(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def paired(one: Callable[[], float], other: Callable[[], float]) -> list[tuple[float, float]]:
    one(), other()
    return [(one(), other()) for _ in range(PAIRS)]


def test_for_each_over_a_hundred_objects() -> None:
    head = f"stages:\n  - look.given: {{id: given, polygons: true, corners: {grid()}}}\n"
    body = head + "  - for_each: {in: given, stages: [toy.noop]}\n"
    pairs = paired(lambda: seconds(body, FRAMES), lambda: seconds(head, FRAMES))
    cost = median(1000 * (with_ - without) / FRAMES for with_, without in pairs)
    loop = median(1000 * bare(FRAMES) / FRAMES for _ in range(PAIRS))
    report(
        f"for_each over {OBJECTS} objects: {cost:.2f} ms a frame, a bare loop {loop:.2f} ms: {cost - loop:.2f} ms over"
    )
    assert cost - loop <= 4.0, "the aim is 1 ms over the bare loop (1.1 to 2.0 were measured); more than this is gross"


def test_a_fused_stage_that_does_nothing() -> None:
    few, many, count = 10, 210, 300
    texts = ["stages:\n" + "  - toy.noop\n" * n for n in (few, many)]
    pairs = paired(lambda: seconds(texts[1], count), lambda: seconds(texts[0], count))
    cost = median(1e6 * (a - b) / count / (many - few) for a, b in pairs)
    picture, calls = Image(np.zeros((4, 4, 3), np.uint8)), count * (many - few)
    loops = []
    for _ in range(PAIRS):
        started = time.process_time()
        for _ in range(calls):
            _nothing(picture)
        loops.append(1e6 * (time.process_time() - started) / calls)
    report(f"a fused stage that does nothing: {cost:.2f} us, a bare call in a loop {median(loops):.2f} us")
    assert cost <= 4, "the aim is 1 us; more than this is gross"
