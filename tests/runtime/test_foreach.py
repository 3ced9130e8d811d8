"""``for_each``: gate, body, fold. What comes out equals a lock-step run, whatever is batched or overlapped."""

from __future__ import annotations

import random
from collections import deque
from typing import Any

import numpy as np
import pytest

from tests.runtime.conftest import compiled, run_plan
from tests.runtime.toys import Objects, ObjectsParams, ToySource
from visionkit.pipeline.plan import ForEachNode

READ = """
stages:
  - toy.objects: {id: objects, most: 4}
  - for_each:
      id: read
      in: objects
      as: thing
      %s
      stages:
        - toy.score: {id: got, slow: %s}
      set: {value: %s}
outputs: []
"""


def lock_step(
    source: ToySource, every: int | None, until: int | None, asked: int | None, window: int, index: int
) -> list[Any]:
    """The same by hand: a dict per track, one frame after the other; the gate sees what was known D frames ago.

    ``until`` and ``asked`` compare the held value: done for good above ``until``, skipped now above ``asked``.
    """
    lag = (every or 1) if until is not None or asked is not None else None
    stage = Objects(ObjectsParams(most=4))
    held: dict[int, deque[float]] = {}
    snapshots: list[dict[int, float]] = []
    last: dict[int, int] = {}
    done: set[int] = set()
    rows = []
    for i in range(source._count):
        image = source.image(index, i)
        objects = stage.run(image)
        known = snapshots[i - lag] if lag is not None and i - lag >= 0 else {}
        calls, values = 0, {}
        for row, track in enumerate(objects.track_id.tolist()):
            value = known.get(track)
            if until is not None and value is not None and value > until:
                done.add(track)
            blocked = track in done or (asked is not None and not (value is None or value <= asked))
            due = every is None or track not in last or i - last[track] >= every
            if not blocked and due:
                last[track] = i
                calls += 1
                pixel = float(image.gray()[0, int(objects.xyxy[row, 0])])
                held.setdefault(track, deque(maxlen=window)).append(pixel)
            values[track] = sum(held[track]) / len(held[track]) if track in held else None
        snapshots.append({t: sum(v) / len(v) for t, v in held.items()})
        rows.append((i, calls, values))
    return rows


def run_engine(text: str, source: ToySource, **settings: Any) -> tuple[list[Any], int]:
    plan = compiled(text.replace("outputs: []\n", ""))
    packets, summary = run_plan(plan, [source], **settings)
    rows = []
    for packet in packets:
        read = packet["read"]
        values = {
            int(t): None if np.isnan(v) else float(v) for t, v in zip(read.track_id, read.columns["value"], strict=True)
        }
        rows.append((packet.key.source, packet.key.index, values))
    calls = next((n.items for n in summary.nodes if n.name == "got"), 0)
    return rows, calls


def keys_text(every: int | None, until: int | None, asked: int | None) -> str:
    lines = []
    if every is not None:
        lines.append(f"every: {{frames: {every}, per: track}}")
    if until is not None:
        lines.append(f"until: thing.value > {until}")
    if asked is not None:
        lines.append(f"when: thing.value is null or thing.value <= {asked}")
    return "\n      ".join(lines) or "pad: 0"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_feedback_equals_lock_step_on_random_plans() -> None:
    for number in range(500):
        rng = random.Random(number)
        every = rng.choice([None, 1, 2, 3, 5])
        until = rng.choice([None, 120, 200])
        asked = rng.choice([None, None, 100])
        window = rng.randint(1, 6)
        text = READ % (
            keys_text(every, until, asked),
            rng.choice([0, 0, 0.0005]),
            f'"mean(got.value, window={window})"',
        )
        sources = rng.randint(1, 2)
        made = {"count": rng.randint(1, 25), "seed": number, "sources": sources}
        expected = [lock_step(ToySource("s", **made), every, until, asked, window, i) for i in range(sources)]
        for settings in ({"batch": 1, "workers": 1}, {"batch": rng.choice([4, 16]), "workers": rng.choice([2, 4])}):
            rows, calls = run_engine(text, ToySource("s", **made), credit=rng.choice([10, 100_000]), **settings)
            flat = [(f"s{i}", index, values) for i, lane in enumerate(expected) for index, _, values in lane]
            assert rows == flat, f"plan {number}: {text}"
            assert calls == sum(c for lane in expected for _, c, _ in lane), f"plan {number}: calls"


def test_the_cadence_is_exact_and_readings_are_held_between() -> None:
    text = READ % (keys_text(4, None, None), 0, "last(got.value)")
    source = ToySource("s", 40, seed=3)
    rows, calls = run_engine(text, source, batch=8, workers=2)
    expected = lock_step(ToySource("s", 40, seed=3), 4, None, None, 1, 0)
    assert calls == sum(c for _, c, _ in expected)
    assert [v for _, _, v in rows] == [v for _, _, v in expected]


def test_without_tracks_a_reading_is_of_this_frame_alone() -> None:
    text = (READ % ("when: thing.x1 > 0", 0, "got.value")).replace("most: 4", "most: 4, tracked: false")
    source = ToySource("s", 20, seed=8)
    packets, _ = run_plan(compiled(text.replace("outputs: []\n", "")), [source], batch=4, workers=2)
    for packet in packets:
        read = packet["read"]
        pixels = source.image(0, packet.key.index).gray()[0]
        for box, value in zip(read.xyxy, read.columns["value"], strict=True):
            assert np.isnan(value) if box[0] == 0 else value == pixels[int(box[0])]


def test_nested_lists_and_failing_objects() -> None:
    text = """
stages:
  - toy.objects: {id: objects, most: 4, tracked: false}
  - for_each:
      id: outer
      in: objects
      as: thing
      stages:
        - toy.objects: {id: parts, most: 1, tracked: false}
        - for_each:
            id: inner
            in: parts
            as: part
            stages:
              - toy.fail: {modulo: 2}
              - toy.count: {id: got}
            set: {odd: got.pixel}
"""
    source = ToySource("s", 30, seed=2)
    packets, summary = run_plan(compiled(text + "  - toy.noop: {in: source}\n"), [source], batch=4, workers=3)
    assert summary.out == 30
    assert summary.object_failures > 0
    assert [p.key.index for p in packets] == list(range(30))


def test_lifted_children_lie_on_the_frame() -> None:
    text = """
stages:
  - toy.objects: {id: objects, most: 4, tracked: false}
  - for_each: {id: outer, in: objects, stages: [toy.objects: {id: parts, most: 1, tracked: false}]}
  - for_each: {id: again, in: {objects: outer.parts}, stages: [toy.count: {id: got}], set: {pixel: got.pixel}}
"""
    source = ToySource("s", 30, seed=4)
    packets, _ = run_plan(compiled(text), [source], batch=4, workers=2)
    seen = 0
    for packet in packets:
        again = packet["again"]
        pixels = source.image(0, packet.key.index).gray()[0]
        for box, value in zip(again.xyxy, again.columns["pixel"], strict=True):
            assert value == pixels[int(box[0])]
            seen += 1
    assert seen > 20


def test_lag_is_the_cadence_where_conditions_ask_for_readings() -> None:
    for every, until, lag in ((None, 5, 1), (7, 5, 7), (7, None, None)):
        plan = compiled((READ % (keys_text(every, until, None), 0, "last(got.value)")).replace("outputs: []\n", ""))
        (node,) = [n for n in plan.root.nodes if isinstance(n, ForEachNode)]
        assert node.lag == lag
