"""A stage under test: how it is opened, fed and run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from visionkit.data import ABSENT, Image
from visionkit.stage import BatchStage, ScanStage, StageParams, ports_of
from visionkit.testing.context import CountingContext
from visionkit.testing.values import empty_of, example_of

Values = dict[str, Any]


@dataclass
class Case:
    """A stage class with what it needs to run.

    Attributes:
        stage_class: the class under test, a subclass of ``Stage``.
        params: its parameters.
        inputs: picture → a value for every port, always the same for the same picture; None makes examples.
        context: given to ``open``.
    """

    stage_class: Any
    params: StageParams
    inputs: Callable[[Image], Mapping[str, Any]] | None = None
    context: CountingContext = field(default_factory=CountingContext)

    @property
    def name(self) -> str:
        return str(self.stage_class.__name__)

    @property
    def is_batch(self) -> bool:
        return issubclass(self.stage_class, BatchStage)

    @property
    def is_scan(self) -> bool:
        return issubclass(self.stage_class, ScanStage)

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """An instance, closed afterwards whatever happens."""
        stage: Any = self.stage_class(self.params)
        stage.open(self.context)
        try:
            yield stage
        finally:
            stage.close()

    def values(self, image: Image) -> Values:
        """A value for every port."""
        if self.inputs is not None:
            return dict(self.inputs(image))
        made: Values = {}
        for port in ports_of(self.stage_class).inputs:
            value = example_of(port.types[0], image)
            made[port.name] = (value, value) if port.variadic else value
        return made

    def variants(self, image: Image) -> dict[str, Values]:
        """The values as they are, empty, absent, and of every other type that a port takes; with a name for each."""
        full, ports = self.values(image), ports_of(self.stage_class).inputs
        found = {"full": full}
        empty = {port.name: empty_of(port.types[0], image) for port in ports if not port.variadic}
        empty = {name: value for name, value in empty.items() if value is not None}
        if empty:
            found["empty"] = full | empty
        absent = {port.name: () if port.variadic else None for port in ports if port.optional}
        if absent:
            found["absent"] = full | absent
        for port in ports:
            for other in port.types[1:]:
                value = example_of(other, image)
                found[f"{port.name}: {other.__name__}"] = full | {port.name: (value,) if port.variadic else value}
        return found

    def run(self, stage: Any, values: Values) -> Any:
        """One packet through an instance."""
        if not self.is_batch:
            return stage.run(**values)
        results = stage.run(**{name: [value] for name, value in values.items()})
        assert len(results) == 1, f"{self.name}: one packet in, {len(results)} out"
        return results[0]

    def reset(self, stage: Any) -> None:
        """What the engine does before pictures of another size."""
        if self.is_scan:
            stage.reset()

    def outputs(self, stage: Any, images: Sequence[Image]) -> list[Any]:
        """What an instance gives for these pictures, in order."""
        return [self.run(stage, self.values(image)) for image in images]

    def results(self, output: Any) -> list[tuple[str, type, Any]]:
        """Name, declared type and value of each output that is not absent."""
        declared = ports_of(self.stage_class).outputs
        values = [output] if not declared[0].name else list(output) if output is not ABSENT else []
        pairs = zip(declared, values, strict=False)
        return [(port.name or "result", port.type, value) for port, value in pairs if value is not ABSENT]
