"""Hot reload: another plan takes over at a packet boundary; what remembers goes on where nothing changed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from tests.runtime.conftest import compiled, run_plan
from tests.runtime.toys import ToySource
from visionkit.data import Packet
from visionkit.pipeline.plan import Plan
from visionkit.runtime.context import Context, RunSettings
from visionkit.runtime.engine import Engine
from visionkit.stage import SinkContext

PLAN = """
stages:
  - toy.add: {id: a, n: 3}
  - toy.scan: {id: kept, in: a}
  - toy.add: {id: b, in: source, n: %d}
  - toy.scan: {id: fresh, in: b}
  - toy.objects: {id: objects, in: source}
  - for_each:
      id: read
      in: {objects: objects, image: source}
      as: thing
      every: {frames: 3, per: track}
      until: thing.value > 250
      stages: [toy.score: {id: got}]
      set: {value: "mean(got.value, window=3)"}
"""


def run_with_swap(before: Plan, after: Plan, at: int, source: ToySource) -> list[Packet]:
    packets: list[Packet] = []
    reached, swapped = threading.Event(), threading.Event()

    def on_packet(packet: Packet) -> None:
        packets.append(packet)
        if len(packets) == at:
            reached.set()

    engine = Engine(
        before, RunSettings(workers=2, credit=3000), lambda id_, note: Context(id_, None, 0, note), on_packet
    )

    def swap() -> None:
        reached.wait(20)
        assert engine.swap(after)
        swapped.set()

    thread = threading.Thread(target=swap)
    thread.start()
    engine.run([source], [], SinkContext(Path()))
    thread.join()
    assert swapped.is_set()
    return packets


def values(packet: Packet, *names: str) -> list[Any]:
    return [packet[n].to_dict() if hasattr(packet[n], "to_dict") else packet[n].to_dicts() for n in names]


def test_an_equal_plan_changes_nothing() -> None:
    plan = compiled(PLAN % 5)
    expected, _ = run_plan(plan, [ToySource("s", 2000, seed=1)])
    found = run_with_swap(plan, compiled(PLAN % 5), 40, ToySource("s", 2000, seed=1))
    names = ("kept", "fresh", "read")
    assert [values(p, *names) for p in found] == [values(p, *names) for p in expected]


def test_only_what_lies_downstream_of_the_change_starts_anew() -> None:
    expected, _ = run_plan(compiled(PLAN % 5), [ToySource("s", 2000, seed=1)])
    found = run_with_swap(compiled(PLAN % 5), compiled(PLAN % 6), 40, ToySource("s", 2000, seed=1))
    assert [p.key.index for p in found] == list(range(2000))
    assert [values(p, "kept", "read") for p in found] == [values(p, "kept", "read") for p in expected]
    assert found[-1]["b"].gray().tobytes() != expected[-1]["b"].gray().tobytes()
    changed = next(i for i, p in enumerate(found) if p["b"].gray()[0, 0] != expected[i]["b"].gray()[0, 0])
    assert changed >= 40
    fresh, _ = run_plan(compiled(PLAN % 6), [ToySource("s", 2000, seed=1)])
    assert [p["b"].gray().tobytes() for p in found[changed:]] == [p["b"].gray().tobytes() for p in fresh[changed:]]


def test_swaps_leave_no_meters_and_no_counts_behind() -> None:
    """A slider that is dragged swaps many times a second."""
    packets: list[Packet] = []
    reached = threading.Event()

    def on_packet(packet: Packet) -> None:
        packets.append(packet)
        reached.set()

    plans = [compiled(PLAN % n) for n in (5, 6)]
    engine = Engine(
        plans[0], RunSettings(workers=2, credit=3000), lambda id_, note: Context(id_, None, 0, note), on_packet
    )
    meters = []

    def swap() -> None:
        reached.wait(20)
        for number in range(20):
            assert engine.swap(plans[number % 2])
            meters.append(len(engine._meters))
        engine.stop()

    thread = threading.Thread(target=swap)
    thread.start()
    summary = engine.run([ToySource("s", 1_000_000, seed=1)], [], SinkContext(Path()))
    thread.join()
    assert len(set(meters)) == 1
    nodes = {node.name: node for node in summary.nodes}
    assert nodes["a"].items == nodes["b"].items == nodes["objects"].items == summary.out == len(packets)
    assert nodes["a"].workers <= 2
