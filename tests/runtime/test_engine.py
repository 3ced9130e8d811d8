"""The engine's laws, with toy stages: order, one in one out, equality, no deadlock."""

from __future__ import annotations

import random

import pytest

from tests.runtime.conftest import compiled, run_plan
from tests.runtime.reference import plain, run_serially
from tests.runtime.toys import ToySource
from visionkit.data import Packet
from visionkit.errors import StageError
from visionkit.pipeline.plan import Plan

TOY = """
stages:
  - toy.add: {id: a, n: 3}
  - toy.batch: {id: b}
  - toy.add: {id: side, in: source, n: 9}
  - toy.mix: {id: both, in: {image: b, other: side}}
  - toy.scan: {in: both}
  - toy.fail: {in: both, modulo: 11}
"""


def rows(plan: Plan, packets: list[Packet]) -> list[object]:
    return [
        (p.key, {} if p.failure else {v.id: plain(p.values[v.id]) for v in plan.root.values}, p.failure is not None)
        for p in packets
    ]


@pytest.mark.parametrize("batch", [1, 8])
@pytest.mark.parametrize(("workers", "streams"), [(1, 1), (3, 1), (2, 3)])
def test_batch_and_workers_change_nothing(batch: int, workers: int, streams: int) -> None:
    plan = compiled(TOY)
    expected = run_serially(plan, ToySource("s", 60, seed=1, sources=2))
    packets, summary = run_plan(plan, [ToySource("s", 60, seed=1, sources=2)], streams, batch=batch, workers=workers)
    assert rows(plan, packets) == expected
    assert summary.received == summary.out + summary.failed == 120
    assert summary.failed == sum(failed for _, _, failed in expected) > 0


def test_the_order_of_two_sources_changes_nothing() -> None:
    plan = compiled(TOY)
    found = []
    for names in (("a", "b"), ("b", "a")):
        sources = [ToySource(name, 50, seed=ord(name)) for name in names]
        packets, _ = run_plan(plan, sources, batch=4, workers=2)
        found.append({name: [r for r in rows(plan, packets) if r[0].source.startswith(name)] for name in "ab"})
    assert found[0] == found[1]


def test_a_batch_gathers_what_has_come_and_only_the_guilty_packet_fails() -> None:
    plan = compiled("stages:\n  - toy.batch: {id: b, poison: 77, slow: 0.002}\n")
    source = ToySource("s", 200, seed=5)
    packets, summary = run_plan(plan, [source], batch=16, workers=2)
    guilty = [i for i in range(200) if source.image(0, i).gray()[0, 0] == 77]
    assert guilty
    assert [p.key.index for p in packets if p.failure] == guilty
    node = next(n for n in summary.nodes if n.name == "b")
    assert node.calls < 100, "batches were not formed"


def test_on_error_stop_raises_and_names_the_packet() -> None:
    plan = compiled("stages:\n  - toy.fail: {id: f, modulo: 3, on_error: stop}\n")
    with pytest.raises(StageError, match=r"f failed on s0\[0:\d+\]: ValueError: a multiple"):
        run_plan(plan, [ToySource("s", 50)])


def random_plan(rng: random.Random) -> str:
    """Branches, scans, batches, failures, conditions."""
    lines = ["stages:"]
    images = ["source"]
    for i in range(rng.randint(1, 9)):
        kind = rng.choice(["add", "mix", "batch", "scan", "fail", "count", "noop"])
        params = {"add": "n: 5", "batch": f"poison: {rng.randint(0, 255)}", "fail": "modulo: 7"}.get(kind)
        keys = [f"id: v{i}"] + ([params] if params else [])
        chosen = rng.choice(images)
        keys.append(f"in: {{image: {chosen}, other: {rng.choice(images)}}}" if kind == "mix" else f"in: {chosen}")
        if rng.random() < 0.3:
            keys.append(f"when: index % {rng.randint(2, 4)} == 0")
        lines.append(f"  - toy.{kind}: {{{', '.join(keys)}}}")
        if kind not in ("scan", "count"):
            images.append(f"v{i}")
    return "\n".join(lines)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_random_plans_all_end_in_order_and_equal_the_serial_run() -> None:
    """Deadlock hunt: tiny credit, several sources, failing packets; pytest's timeout is the hunter."""
    for number in range(1000):
        rng = random.Random(number)
        plan = compiled(random_plan(rng))
        made = [(f"{name}", rng.randint(1, 12), rng.randint(1, 3)) for name in "abc"[: rng.randint(1, 3)]]
        sources = [ToySource(n, c, seed=number, sources=s) for n, c, s in made]
        packets, summary = run_plan(
            plan,
            sources,
            batch=rng.choice([1, 3, 8]),
            workers=rng.randint(1, 4),
            credit=rng.choice([1, 500, 5000]),
            streams=rng.randint(1, 3),
        )
        assert summary.received == summary.out + summary.failed == sum(c * s for _, c, s in made)
        for name, c, s in made:
            own = [p for p in packets if p.key.source.startswith(name)]
            assert rows(plan, own) == run_serially(plan, ToySource(name, c, seed=number, sources=s)), f"plan {number}"
