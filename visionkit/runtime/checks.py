"""What is looked at before a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from visionkit.errors import SinkError
from visionkit.pipeline.plan import Plan
from visionkit.runtime.outlets import Outlet
from visionkit.stage.catalogue import sinks
from visionkit.stage.source import SourceInfo

MANY = 10_000
"""More inputs than are looked at one by one before a run."""


def outlets_of(plan: Plan) -> list[Outlet]:
    """The outputs of a plan, and the table of errors.

    Raises:
        SinkError: two of them would write the same file.
    """
    errors = sinks().get("errors")
    own = [Outlet(node.id, node.sink(node.params), node, plan.hides) for node in plan.outputs]
    outlets = [*own, Outlet("errors", errors(errors.Params()))]
    refuse_shared_paths(outlets)
    return outlets


def joined(parts: Sequence[Sequence[Any]]) -> Sequence[Any]:
    """All items of ``parts``; a single part as it is, for it may be made as it is read."""
    return parts[0] if len(parts) == 1 else [item for part in parts for item in part]


def frames_of(infos: Sequence[SourceInfo]) -> int:
    """How many frames there are, as far as known; of a very large folder the number of files."""
    return len(infos) if len(infos) > MANY else sum(info.frames or 1 for info in infos)


def refuse_shared_paths(outlets: Sequence[Any]) -> None:
    """Raises SinkError for two outputs that would write the same file."""
    owners: dict[str, str] = {}
    for outlet in outlets:
        path = getattr(outlet.sink.params, "path", None)
        if path is not None and (other := owners.setdefault(str(path.text), outlet.name)) != outlet.name:
            message = f"the outputs {other!r} and {outlet.name!r} have the same path {path.text!r}"
            raise SinkError(message, help="give one of them another path")
