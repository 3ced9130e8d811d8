from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.toys import TARGETS, ToySource
from visionkit.data import Packet
from visionkit.pipeline.compile import CompileOptions, compile_text
from visionkit.pipeline.plan import Plan
from visionkit.runtime.context import Context, RunSettings
from visionkit.runtime.engine import Engine
from visionkit.runtime.metrics import RunSummary
from visionkit.stage import SinkContext, catalogue


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy stages join the catalogue as a plugin's would."""
    plugins = catalogue._plugins
    monkeypatch.setattr(catalogue, "_plugins", lambda group: TARGETS if group == "visionkit.stages" else plugins(group))
    catalogue.stages.cache_clear()
    yield
    monkeypatch.undo()
    catalogue.stages.cache_clear()


def compiled(text: str) -> Plan:
    """A plan of toy stages, without outputs."""
    return compile_text(text + "\noutputs: []\n", options=CompileOptions(check_weights=False))


class Network:
    """What a stage took: the engine asks how many calls at a time it is set up for."""

    def __init__(self, streams: int) -> None:
        self.streams = streams

    def release(self, model: object) -> None: ...


def run_plan(
    plan: Plan, sources: list[ToySource], streams: int = 1, **settings: Any
) -> tuple[list[Packet], RunSummary]:
    """All packets of a run in the order they came out, and the summary; batch stages have a network of ``streams``."""
    packets: list[Packet] = []
    network = Network(streams)

    def opener(id_: str, note: Any) -> Context:
        return Context(id_, network, 0, note, [network])

    engine = Engine(plan, RunSettings(**settings), opener, packets.append)
    return packets, engine.run(sources, [], SinkContext(Path()))
