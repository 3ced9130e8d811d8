"""One budget of threads, and memory that is kept for the next picture."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.runtime.conftest import compiled, run_plan
from tests.runtime.toys import Batch, ToySource
from visionkit.backends import Settings
from visionkit.data import Image
from visionkit.hub import ModelHub
from visionkit.runtime.context import RunSettings
from visionkit.runtime.engine import Engine
from visionkit.runtime.threads import streams_for, workers_for
from visionkit.stage import SinkContext, SourceInfo

PICTURES = """
import resource, sys
import numpy as np
if sys.argv[1] != "given back":
    from visionkit.runtime.threads import keep_memory
    keep_memory(sys.argv[1] == "live")
np.ones((720, 1280, 3), np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    first, second = np.ones((720, 1280, 3), np.uint8), np.ones((720, 1280, 3), np.uint8)
    del first, second
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told to")
def test_pictures_do_not_come_page_by_page_each_time() -> None:
    faults = {
        how: int(
            subprocess.run([sys.executable, "-c", PICTURES, how], capture_output=True, text=True, check=True).stdout
        )
        for how in ("given back", "kept", "live")
    }
    assert max(faults["kept"], faults["live"]) * 4 < faults["given back"], faults


@pytest.mark.parametrize(
    ("live", "kinds", "workers", "wanted"),
    [
        ([False], ["video"], 4, 4),
        ([False], ["video"], 1, 1),
        ([False], ["video"], 9, 8),
        ([False], ["image"], 4, 1),
        ([False], ["image"] * 3, 4, 3),
        ([False], [], 4, 4),
        ([True], [], 4, 1),
        ([True] * 3, [], 4, 3),
        ([True, False], ["video"], 4, 4),
    ],
)
def test_calls_of_a_network_at_a_time(live: list[bool], kinds: list[str], workers: int, wanted: int) -> None:
    sources = [SimpleNamespace(live=one) for one in live]
    infos = [SourceInfo(str(number), kind) for number, kind in enumerate(kinds)]
    assert streams_for(sources, infos, workers, cores=8) == wanted


def test_a_network_of_two_streams_is_called_by_two_instances_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2)
    run, entered = Batch.run, []

    def meet(self: Batch, images: Sequence[Image]) -> Sequence[Image]:
        both.wait(10)
        entered.append(id(self))
        return run(self, images)

    monkeypatch.setattr(Batch, "run", meet)
    plan = compiled("stages:\n  - toy.batch: {id: b}\n")
    packets, summary = run_plan(plan, [ToySource("s", 20)], streams=2, batch=1)
    assert [packet.key.index for packet in packets] == list(range(20))
    assert summary.out == 20
    assert len(set(entered)) == 2
    assert next(node for node in summary.nodes if node.name == "b").workers == 2


def test_a_stage_that_does_not_say_it_can_has_one_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batch, "side_by_side", False)
    _, summary = run_plan(compiled("stages:\n  - toy.batch: {id: b}\n"), [ToySource("s", 20)], streams=2, batch=1)
    assert next(node for node in summary.nodes if node.name == "b").workers == 1


@pytest.mark.parametrize(("side_by_side", "streams", "threads"), [(True, 2, 1), (False, 1, 0)])
def test_a_network_called_by_one_instance_has_all_cores(
    monkeypatch: pytest.MonkeyPatch, side_by_side: bool, streams: int, threads: int
) -> None:
    wanted: list[Settings | None] = []

    class Models:
        settings = Settings(streams=2, threads=1)

        def model(self, name: str, task: str, settings: Settings | None = None) -> object:
            wanted.append(settings or self.settings)
            return SimpleNamespace(streams=wanted[-1].streams, note="")

        def release(self, model: object) -> None: ...

    def open_(stage: Batch, context: Any) -> None:
        stage.calls = []
        context.model("net", "detect")

    monkeypatch.setattr(Batch, "open", open_)
    monkeypatch.setattr(Batch, "side_by_side", side_by_side)
    hub = ModelHub(RunSettings(), streams=2)
    hub._cache = Models()
    engine = Engine(compiled("stages:\n  - toy.batch\n"), RunSettings(), hub.context)
    summary = engine.run([ToySource("s", 4)], [], SinkContext(Path()))
    assert {(one.streams, one.threads) for one in wanted} == {(streams, threads)}
    assert next(node for node in summary.nodes if node.name == "toy_batch").workers == streams


@pytest.mark.parametrize(
    ("live", "wanted"), [([False], None), ([True], None), ([True, False], None), ([True, True], 10)]
)
def test_workers_for_several_cameras(live, wanted) -> None:
    sources = [ToySource(str(number), 1) for number in range(len(live))]
    for source, is_live in zip(sources, live, strict=True):
        source.live = is_live
    assert workers_for(sources, 8) == wanted
