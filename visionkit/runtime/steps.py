"""How one stage runs on one token: inputs, absent, ``when``, outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visionkit.data import ABSENT
from visionkit.pipeline.plan import Binding, Condition, StageNode
from visionkit.runtime.token import Token
from visionkit.stage.fields import Environment

Step = Callable[[Token], None]


def holds(condition: Condition, token: Token) -> bool:
    """Whether a packet-level condition is true; null is false."""
    values = token.values
    env = Environment({name: values[slot] for name, slot in condition.slots.items()}, token.plain_names())
    return bool(condition.expression.evaluate(env))


class Inputs:
    """Gathers a node's arguments from a token, or says that it does not run."""

    def __init__(self, node: StageNode) -> None:
        self.node = node
        self._when = node.when
        self._bindings = node.bindings
        self._required = [s for b in node.bindings if not b.optional and not b.variadic for s in b.slots]

    def gather(self, token: Token) -> list[Any] | None:
        """The arguments of ``run``; None if the stage does not run on this token."""
        values = token.values
        for slot in self._required:
            if values[slot] is ABSENT:
                return None
        if self._when is not None and not holds(self._when, token):
            return None
        return [self._argument(binding, token) for binding in self._bindings]

    @staticmethod
    def _argument(binding: Binding, token: Token) -> Any:
        if binding.of_packet:
            return getattr(token, binding.of_packet)
        values = token.values
        if binding.variadic:
            return tuple(v for v in (values[slot] for slot in binding.slots) if v is not ABSENT)
        if not binding.slots:
            return None
        value = values[binding.slots[0]]
        return None if value is ABSENT else value

    def skip(self, token: Token) -> None:
        """The stage does not run: its outputs are absent, a picture passes through."""
        for slot in self.node.outputs:
            token.values[slot] = ABSENT
        if self.node.bypass is not None:
            token.values[self.node.outputs[0]] = token.values[self.node.bypass]

    def store(self, token: Token, result: Any) -> None:
        """Put what ``run`` returned into the node's slots."""
        outputs = self.node.outputs
        if len(outputs) == 1 and not self.node.ports[0]:
            if result is ABSENT:
                self.skip(token)
            else:
                token.values[outputs[0]] = result
        else:
            for slot, value in zip(outputs, result, strict=True):
                token.values[slot] = value


def single_step(node: StageNode, run: Callable[..., Any]) -> Step:
    """The node as a function on tokens. The common case, one required input and no condition, has no detours."""
    inputs = Inputs(node)
    plain = (
        len(node.bindings) == 1
        and len(node.bindings[0].slots) == 1
        and not (node.bindings[0].optional or node.bindings[0].variadic)
        and node.when is None
        and len(node.outputs) == 1
        and not node.ports[0]
    )
    if not plain:

        def general(token: Token) -> None:
            arguments = inputs.gather(token)
            if arguments is None:
                inputs.skip(token)
            else:
                inputs.store(token, run(*arguments))

        return general
    source, target = node.bindings[0].slots[0], node.outputs[0]

    def direct(token: Token) -> None:
        values = token.values
        value = values[source]
        result = ABSENT if value is ABSENT else run(value)
        if result is ABSENT:
            inputs.skip(token)
        else:
            values[target] = result

    return direct
