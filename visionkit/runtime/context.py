"""What stages get when they are opened, and the settings of a run."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from visionkit.frozen import Frozen
from visionkit.runtime.metrics import Meter

if TYPE_CHECKING:
    from visionkit.pipeline.plan import Plan


class RunSettings(Frozen):
    """Settings that change speed, never results.

    Attributes:
        batch: largest batch a BatchStage gets; None chooses by device.
        workers: threads for stages that may run in parallel; None is one per core.
        device: "auto", "cpu", "cuda", "cuda:0", "mps".
        backend: "auto" is what was measured to be fastest here, else "own": what the weights come for.
        decoder: of video files: "cpu" or "nvdec", a GPU's own; "auto" is the CPU.
        decoder_threads: of each video's decoder; 0 leaves it to the decoder.
        credit: bytes of frames in flight, over all lanes.
        on_error: what a failing packet does to the run, where the stage does not say.
        meters: makes the meter of a node in a worker, from the node's id.
    """

    batch: int | None = None
    workers: int | None = None
    device: str = "auto"
    backend: str = "auto"
    precision: str = "auto"
    decoder: str = "auto"
    decoder_threads: int = 0
    seed: int = 0
    credit: int = 256 * 2**20
    on_error: str = "skip"
    offline: bool = False
    meters: Callable[[str], Meter] = Meter

    @classmethod
    def of(cls, plan: Plan, **over: Any) -> RunSettings:
        """What the file's ``run:`` section says, and ``over`` it what this run wants."""
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in {**plan.run, **over}.items() if name in known})

    @property
    def worker_count(self) -> int:
        return self.workers or cores()

    def batch_size(self, plan: Plan) -> int:
        """Batches pay on a GPU; on a small CPU they only delay. Without a batch stage no device is looked for."""
        if self.batch is not None or all(node.kind != "batch" for node in plan.walk()):
            return self.batch or 1
        return 16 if choose_device(self.device).startswith("cuda") else 1


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_device(asked: str) -> str:
    """Settle "auto": "cuda" where torch is installed and sees a GPU, else "cpu"."""
    if asked != "auto":
        return asked
    from importlib.util import find_spec

    if find_spec("torch") is None or not Path("/dev/nvidiactl").exists():
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


class Models(Protocol):
    """Where contexts get networks and files from."""

    @property
    def device(self) -> str: ...
    def model(self, name: str, task: str, alone: bool = False) -> Any: ...
    def file(self, name: str, part: str | None = None) -> Path: ...
    def release(self, model: Any) -> None: ...


class Context(Frozen):
    """The :class:`~visionkit.stage.context.StageContext` of the engine.

    ``alone``: the stage calls its networks one call at a time, so each call may have all cores.
    """

    stage_id: str
    models: Models
    seed: int
    note: Callable[[str], None]
    taken: list[Any] = field(default_factory=list)
    alone: bool = False

    @property
    def device(self) -> str:
        """See :class:`~visionkit.stage.context.StageContext`."""
        return self.models.device

    def model(self, name: str, task: str) -> Any:
        """See :class:`~visionkit.stage.context.StageContext`."""
        model = self.models.model(name, task, self.alone)
        self.taken.append(model)
        if text := getattr(model, "note", ""):
            self.note(text)
        return model

    def release(self) -> None:
        """The stage is closed: its networks may go when no other stage has them."""
        while self.taken:
            self.models.release(self.taken.pop())

    def file(self, name: str, part: str | None = None) -> Path:
        """See :class:`~visionkit.stage.context.StageContext`."""
        return self.models.file(name, part)

    def report(self, message: str) -> None:
        """See :class:`~visionkit.stage.context.StageContext`."""
        self.note(message)
