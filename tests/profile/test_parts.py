"""The parts of a profile: libraries of stacks, conversions, sentences, a GPU."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import pytest

from visionkit.lazy import cv2, np
from visionkit.profile.conversions import watching
from visionkit.profile.gpu import Gpu
from visionkit.profile.libraries import Libraries
from visionkit.profile.report import Report, StageTime, WorkerTime, analysed, sentence
from visionkit.profile.sampler import Depths, Sampler
from visionkit.profile.spans import Span, SpanMeter, Timeline
from visionkit.runtime.metrics import RunSummary


def seen(work: Callable[[], object]) -> set[str]:
    """The libraries a thread is found in while it does ``work`` again and again."""
    done, libraries, found = threading.Event(), Libraries(), set()

    def loop() -> None:
        while not done.is_set():
            work()

    thread = threading.Thread(target=loop)
    thread.start()
    for _ in range(60):
        time.sleep(0.002)
        found.add(libraries.of(sys._current_frames().get(thread.ident or 0)))
    done.set()
    thread.join()
    return found


def test_the_library_of_a_stack() -> None:
    picture = np.zeros((600, 800, 3), np.uint8)
    assert "cv2" in seen(lambda: cv2.GaussianBlur(picture, (31, 31), 0))
    assert "numpy" in seen(lambda: np.sort(picture, axis=None))
    assert seen(lambda: time.sleep(0.01)) <= {"", "visionkit"}
    assert "numpy" in seen(lambda: picture.astype(np.float64) * 0.5)


def test_conversions_are_seen_only_while_watched() -> None:
    picture = np.zeros((200, 300, 3), np.uint8)
    before = cv2.cvtColor
    with watching() as found:
        cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)  # 60,000 bytes: too small to count
        cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
        np.ascontiguousarray(picture)  # nothing to do
        np.ascontiguousarray(picture[:, ::-1])
        np.stack([picture, picture])
    cv2.cvtColor(picture, cv2.COLOR_BGR2HSV)
    assert [one.what for one in found] == ["BGR → HSV", "made contiguous", "stacked to a batch"]
    assert [one.nbytes for one in found] == [180_000, 180_000, 360_000]
    assert cv2.cvtColor is before


def test_spans() -> None:
    spans: list[Span] = []
    meter = SpanMeter("a", spans)
    start = time.perf_counter_ns()
    now = meter.add(start, 3)
    assert (meter.calls, meter.items, meter.ns) == (1, 3, now - start)
    assert spans == [Span("a", threading.get_ident(), start, now, 3)]
    timeline = Timeline([Span("a", 1, 0, 10, 1), Span("b", 1, 10, 30, 1), Span("c", 2, 5, 6, 1)])
    assert [timeline.at(1, t) for t in (5, 20, 31)] == ["a", "b", ""]
    assert [timeline.at(2, 5), timeline.at(2, 7), timeline.at(3, 5)] == ["c", "", ""]


def report(busy: dict[str, float], cpu: float, waiting: float = 3.0, delay: float = 0.0) -> Report:
    workers = tuple(WorkerTime(name, 1, share, waiting, 1.0) for name, share in busy.items())
    stages = tuple(StageTime(name, name, share * 10, 100, {"cv2": 0.9}) for name, share in busy.items())
    return Report(10.0, 100, 2, stages, workers, {"cv2": cpu}, (), delay, None, "")


@pytest.mark.parametrize(
    ("busy", "cpu", "waiting", "expected"),
    [
        ({"source": 0.2, "detect": 0.97}, 11, 3, "detect is the bottleneck: busy 97%"),
        ({"source": 0.2, "detect": 0.97}, 11, 3, "90% of it in cv2; next would be reading the source, busy 20%"),
        ({"source": 0.2, "detect": 0.97}, 19.5, 3, "the processor is full as well (1.9 of 2 cores are at work)"),
        ({"source": 0.95, "detect": 0.4}, 11, 3, "reading the source is the bottleneck"),
        ({"source": 0.5, "detect": 0.6}, 19, 3, "the processor is the bottleneck: 1.9 of 2 cores"),
        ({"source": 0.1, "detect": 0.3}, 5, 0, "frames come more slowly than they are taken"),
        ({"source": 0.1, "detect": 0.6}, 5, 3, "frames wait for one another"),
    ],
)
def test_the_sentence(busy, cpu, waiting, expected) -> None:
    assert expected in sentence(report(busy, cpu, waiting))


def test_other_programs_are_named() -> None:
    assert "waited" not in sentence(report({"detect": 0.9}, 5, delay=1.0))
    assert "threads waited 8 s for a free core" in sentence(report({"detect": 0.9}, 5, delay=8.0))
    assert "waited" not in sentence(report({"detect": 0.9}, 19.5, delay=8.0)), "they waited for one another"


def test_what_waits_is_counted_while_frames_flow() -> None:
    """Two frames before ``slow`` at every look of the run; eight looks more come while its network is loaded."""
    sampler = Sampler(dict)
    sampler.names[1] = "visionkit:slow:0"
    sampler.depths += [Depths(at, {}) for at in range(8)]
    sampler.depths += [Depths(at, {"slow": 2}) for at in (100, 150, 200)]
    made = analysed(RunSummary(out=10, seconds=1.0), [Span("slow", 1, 100, 200, 10)], sampler, [], 2)
    assert [(worker.waiting, worker.wait_ms) for worker in made.workers] == [(2, 200)]


def test_a_run_too_short_to_say_anything() -> None:
    short = replace(report({"source": 0.1, "decode": 0.5}, 0), seconds=0.02, frames=1)
    assert sentence(short) == "20 ms are too short to find a bottleneck: give it more pictures"


def test_a_gpu_that_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a stand-in for the driver's library: no GPU was at hand."""
    driver = ModuleType("pynvml")
    loads = iter([100, 50, 0])
    driver.__dict__.update(
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda index: index,
        nvmlDeviceGetUtilizationRates=lambda device: SimpleNamespace(gpu=next(loads)),
    )
    monkeypatch.setitem(sys.modules, "pynvml", driver)
    gpu = Gpu()
    for _ in range(3):
        gpu.look()
    gpu.close()
    assert gpu.idle == pytest.approx(0.5)


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    gpu = Gpu()
    gpu.look()
    gpu.close()
    assert gpu.idle is None
