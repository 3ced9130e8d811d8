"""The end of the chain: every output gets each packet, in the order of its lane."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from visionkit.data import Image, Packet
from visionkit.lazy import np
from visionkit.pipeline.plan import OutputNode
from visionkit.runtime.segments import OrderedSegment, Supervisor, Tokens
from visionkit.runtime.steps import Step, holds
from visionkit.runtime.token import Token
from visionkit.stage.sink import Sink, SinkContext


class Outlet:
    """A sink and the values of the plan that it gets; without a node it gets tombstones only, objects' ones too."""

    def __init__(self, name: str, sink: Sink[Any], node: OutputNode | None = None, hides: bool = False) -> None:
        self.name = name
        self.sink = sink
        self.rebind(node, hides)

    def rebind(self, node: OutputNode | None, hides: bool = False) -> None:
        """The same sink, fed by another plan's values. ``hides``: see :attr:`~visionkit.pipeline.plan.Plan.hides`."""
        self.node = node
        self._hides = hides
        self._slots = dict(node.values) if node else {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._slots)

    def wants(self, token: Token) -> bool:
        """Whether its ``when`` lets the packet through; tombstones always pass."""
        if self.node is None or self.node.when is None or token.failure is not None:
            return True
        return holds(self.node.when, token)

    def packets(self, token: Token) -> list[Packet]:
        """What the sink is to write for a token."""
        if self.node is not None:
            wanted = self.wants(token)
            if not (wanted or self.sink.takes_all):
                return []
            values = {name: token.values[slot] for name, slot in self._slots.items()}
            if self._hides and token.failure is not None:
                values = {name: _black(value) for name, value in values.items()}
            if self.sink.takes_all:
                values["when"] = wanted and token.failure is None
            return [token.packet(values)]
        failures = [*([token.failure] if token.failure else []), *(token.failures or ())]
        return [replace(token.packet({}), failure=failure) for failure in failures]

    def seen(self, token: Token) -> None:
        """A packet is about to be written; called once for each, in order."""

    def tell(self, token: Token) -> None:
        """The source of this token has ended, or was away."""
        if token.gap is not None:
            self.sink.gap(token.gap, token.info)
        else:
            self.sink.end(token.info)

    def prepare_step(self, index: int) -> Step:
        """The parallel part of writing, as a step of the last map segment."""

        def prepare(token: Token) -> None:
            made = [self.sink.prepare(packet, token.info) for packet in self.packets(token)]
            token.prepared = [*(token.prepared or ()), made]

        return prepare


def _black(value: Any) -> Any:
    """A black picture of the same size; what is no picture stays."""
    return value.replaced(np.zeros((value.height, value.width, 3), np.uint8)) if isinstance(value, Image) else value


class OutletSegment(OrderedSegment):
    """Writes packets to all outputs in order, then gives their credit back."""

    def __init__(self, supervisor: Supervisor, outlets: Sequence[Outlet], finished: Callable[[Tokens], None]) -> None:
        super().__init__("outputs", supervisor)
        self.next = finished
        self._outlets = list(outlets)
        self._opened: list[Outlet] = []
        self._meters = [supervisor.meter(f"{outlet.name}:write") for outlet in outlets]

    def open(self, context: SinkContext) -> None:
        for outlet in self._outlets:
            outlet.sink.open(replace(context, names=outlet.names))
            self._opened.append(outlet)

    def handle(self, token: Token) -> None:
        if self.supervisor.aborting:
            return
        try:
            for i, outlet in enumerate(self._outlets):
                self._write(i, outlet, token)
        except Exception as error:
            self.supervisor.abort(error)
        finally:
            token.prepared = None

    def _write(self, index: int, outlet: Outlet, token: Token) -> None:
        if not token.is_frame:
            outlet.tell(token)
            return
        now = perf_counter_ns()
        outlet.seen(token)
        packets = outlet.packets(token)
        done = token.prepared[index] if token.alive and token.prepared else None
        if done is None or len(done) != len(packets):  # a tombstone: the last step never came
            done = [outlet.sink.prepare(packet, token.info) for packet in packets]
        for packet, prepared in zip(packets, done, strict=True):
            outlet.sink.write(packet, token.info, prepared)
        self._meters[index].add(now)

    def close(self, aborted: bool) -> list[Path]:
        """Close all sinks, last first; every one is closed, the first error is raised."""
        found: list[Path] = []
        errors: list[Exception] = []
        while self._opened:
            try:
                found = [*self._opened.pop().sink.close(aborted), *found]
            except Exception as error:
                errors.append(error)
        if errors and not aborted:
            raise errors[0]
        return found
