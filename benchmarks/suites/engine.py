"""What the engine itself costs, with stages that do nothing.

Every figure is processor time, from two plans of different length over the same frames, so that what belongs to the
source and to the end of the chain falls out. Beside it, in the same turns, a bare queue between bare threads.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from queue import Queue, SimpleQueue
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.suites import Settings
from benchmarks.table import Table
from benchmarks.timing import Figure, Sample
from visionkit.data import Detections, Image
from visionkit.pipeline.compile import CompileOptions, compile_text
from visionkit.pipeline.plan import ForEachNode, Node, Plan, Scope
from visionkit.runtime.context import Context, RunSettings
from visionkit.runtime.engine import Engine
from visionkit.stage import Frame, MapStage, ScanStage, SinkContext, SourceInfo, StageParams

FRAMES = 1500
FUSED = (10, 60)
HOPS = (2, 18)
OBJECTS = 100
OBJECT_FRAMES = 60
QUEUED = 8000


class Nothing(MapStage[StageParams]):
    """Hands its picture on."""

    def run(self, image: Image) -> Image:
        return image


class Watch(ScanStage[StageParams]):
    """Hands its picture on, in order."""

    def run(self, image: Image) -> Image:
        return image


class Hundred(MapStage[StageParams]):
    """A hundred boxes."""

    def run(self, image: Image) -> Detections:
        left, top = (20 * axis.reshape(-1) for axis in np.meshgrid(np.arange(10), np.arange(10)))
        boxes = np.stack([left, top, left + 16, top + 16], axis=1).astype(np.float32)
        return Detections(image.canvas, boxes, np.full(OBJECTS, 0.5, np.float32), np.zeros(OBJECTS, np.int32))


class Same:
    """A source that offers one picture many times."""

    live = False
    name = "same"

    def __init__(self, count: int, width: int = 4, height: int = 4) -> None:
        self.infos: Sequence[SourceInfo] | None = [SourceInfo("same", "video")]
        self._info = self.infos[0]
        self._count = count
        self._image = Image(np.zeros((height, width, 3), np.uint8))

    def frames(self) -> Iterator[Frame]:
        for index in range(self._count):
            yield Frame(self._info, index, lambda: self._image, 100)


def plan_of(stages: list[str], kinds: list[type[Any]]) -> Plan:
    """A compiled list of stages, each replaced by one of ``kinds``."""
    text = "version: 1\nstages:\n" + "".join(f"  - {line}\n" for line in stages) + "outputs: []\n"
    plan = compile_text(text, options=CompileOptions(check_weights=False))
    toys = iter(kinds)

    def replaced(node: Node) -> Node:
        if isinstance(node, ForEachNode):
            return replace(node, body=scope(node.body))
        return replace(node, stage=next(toys), params=StageParams())

    def scope(whole: Scope) -> Scope:
        return replace(whole, nodes=tuple(replaced(node) for node in whole.nodes))

    return replace(plan, root=scope(plan.root))


def ran(plan: Plan, source: Same) -> Sample:
    """A run of the engine with one worker, so that neighbours are fused into one thread."""
    engine = Engine(plan, RunSettings(workers=1), lambda id_, note: Context(id_, None, 0, note))  # type: ignore[arg-type]
    return timed(lambda: engine.run([source], [], SinkContext(Path())))


def timed(work: Callable[[], Any]) -> Sample:
    """Wall and processor time of a call."""
    cpu, wall = process_time(), perf_counter()
    work()
    return Sample(perf_counter() - wall, process_time() - cpu)


def fused(count: int) -> Callable[[], Sample]:
    """``count`` stages in one worker."""
    plan = plan_of(["filter.blur"] * count, [Nothing] * count)
    return lambda: ran(plan, Same(FRAMES))


def hopping(count: int) -> Callable[[], Sample]:
    """``count`` segments, map and scan by turns: a hand-over between threads before each."""
    plan = plan_of(["filter.blur"] * count, [(Watch, Nothing)[i % 2] for i in range(count)])
    return lambda: ran(plan, Same(FRAMES))


def each(body: bool) -> Callable[[], Sample]:
    """A hundred boxes a frame, with a ``for_each`` over them or without."""
    lines = ["contours: {id: found}"]
    kinds: list[type[Any]] = [Hundred]
    if body:
        lines.append("for_each: {in: found, as: thing, stages: [filter.blur]}")
        kinds.append(Nothing)
    plan = plan_of(lines, kinds)
    return lambda: ran(plan, Same(OBJECT_FRAMES, 200, 200))


def bare_loop() -> Sample:
    """What ``for_each`` cannot do without: a crop of every box as a picture, in one loop."""
    image = Image(np.zeros((200, 200, 3), np.uint8))
    boxes = Hundred(StageParams()).run(image).xyxy

    def work() -> None:
        for _ in range(OBJECT_FRAMES):
            for x1, y1, x2, y2 in boxes.astype(int).tolist():
                image.crop(x1, y1, x2 - x1, y2 - y1)

    return timed(work)


def queue_chain(make: Callable[[], Any], hops: int = 8) -> Callable[[], Sample]:
    """Bare threads that hand one object on through ``hops`` queues."""

    def work() -> None:
        queues = [make() for _ in range(hops + 1)]

        def pump(source: Any, target: Any) -> None:
            while (item := source.get()) is not None:
                target.put(item)
            target.put(None)

        pairs = itertools.pairwise(queues)
        threads = [threading.Thread(target=pump, args=pair) for pair in pairs]
        feeder = threading.Thread(target=lambda: [queues[0].put(i) for i in [*range(QUEUED // hops), None]])
        for thread in [*threads, feeder]:
            thread.start()
        while queues[-1].get() is not None:
            pass
        for thread in [*threads, feeder]:
            thread.join()

    return lambda: timed(work)


def per(long: list[Sample], short: list[Sample], count: int) -> Figure:
    """Microseconds of processor time each of ``count`` more things took."""
    return Figure.of([(a.cpu - b.cpu) / count * 1e6 for a, b in zip(long, short, strict=True)])


def run(table: Table, settings: Settings) -> None:
    """Fill the table."""
    jobs = {
        **{f"fused {n}": fused(n) for n in FUSED},
        **{f"hops {n}": hopping(n) for n in HOPS},
        "boxes": each(False),
        "for_each": each(True),
        "crops": bare_loop,
        "queue": queue_chain(lambda: Queue(maxsize=16)),
        "simple": queue_chain(SimpleQueue),
    }
    found = settings.measured("engine", jobs)
    table.rounds = len(found["boxes"])
    step = per(found[f"fused {FUSED[1]}"], found[f"fused {FUSED[0]}"], (FUSED[1] - FUSED[0]) * FRAMES)
    table.add("a fused stage that does nothing", step, "µs", most=1.0, note="a stage and a frame")
    hop = per(found[f"hops {HOPS[1]}"], found[f"hops {HOPS[0]}"], (HOPS[1] - HOPS[0]) * FRAMES)
    table.add("a hop between workers", hop, "µs", most=15.0, note="with sequencer, timing and what the stage costs")
    for name, label in (("queue", "queue.Queue, 16 places"), ("simple", "queue.SimpleQueue")):
        bare = Figure.of([s.cpu / QUEUED * 1e6 for s in found[name]])
        table.add(f"a hop through a bare {label}", bare, "µs")
    whole = per(found["for_each"], found["boxes"], OBJECT_FRAMES * 1000)
    table.add(f"for_each over {OBJECTS} objects, empty body", whole, "ms", most=1.0, note="a frame")
    crops = Figure.of([s.cpu / OBJECT_FRAMES * 1000 for s in found["crops"]])
    table.add(f"a bare loop that crops {OBJECTS} pictures", crops, "ms", note="a frame; part of the line above")
