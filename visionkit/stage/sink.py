"""The contract of outputs: where results go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, get_args

from visionkit.data import Packet
from visionkit.frozen import Frozen
from visionkit.stage.base import StageParams
from visionkit.stage.source import Gap, SourceInfo

OWN_FOLDER = ".visionkit"
"""Below the folder of results: what a run keeps for the next one."""


class SinkParams(StageParams):
    """The parameters of an output."""


def _to_nobody(message: str) -> None:
    pass


class SinkContext(Frozen):
    """What an output gets when it is opened.

    Attributes:
        out: the folder that results go to; every path of an output lies below it.
        overwrite: existing results may be replaced.
        names: ids of the values that packets will carry, in the order of the file.
        plan_hash: identifies stages, parameters and weights.
        settings: run settings that outputs may honour (``codec``, ``threads``).
        resume: an earlier run is gone on with: files that sources share hold what it left and are appended to.
        keep: a later run may go on with this one, so what it would need stays.
        report: tells the user something in the summary of the run.
    """

    out: Path
    overwrite: bool = False
    names: tuple[str, ...] = ()
    plan_hash: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    resume: bool = False
    keep: bool = False
    report: Callable[[str], None] = _to_nobody


S = TypeVar("S", bound=SinkParams)


class Sink(Generic[S]):
    """One output. :meth:`prepare` runs in parallel; :meth:`write` runs in order for each source.

    ``takes`` says what the packets carry: "picture": ``values["picture"]``, the picture to show (an
    ``Image``, or absent), and ``values["source"]``, the bare frame; "results": every result by id, no pictures;
    "frames": every result by id, and ``values["source"]``.
    A tombstone (``packet.failure``) arrives like any packet; its values may be missing.

    ``takes_all``: packets come also where ``when`` does not hold; ``values["when"]`` says whether it does.
    """

    Params: ClassVar[type[SinkParams]] = SinkParams
    takes: ClassVar[Literal["picture", "results", "frames"]] = "results"
    takes_all: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for base in getattr(cls, "__orig_bases__", ()):
            found = [arg for arg in get_args(base) if isinstance(arg, type) and issubclass(arg, SinkParams)]
            if found:
                cls.Params = found[0]

    def __init__(self, params: S) -> None:
        self.params = params

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        """Before anything runs: refuse outputs that collide or exist already.

        Raises:
            SinkError: naming the paths and what to do.
        """

    def open(self, context: SinkContext) -> None:
        """Once, before the first packet."""

    def prepare(self, packet: Packet, source: SourceInfo) -> Any:
        """The costly, order-free part of writing a packet (encode, format). Called from many threads at once."""
        return None

    def write(self, packet: Packet, source: SourceInfo, prepared: Any) -> None:
        """Put it where it belongs. Packets of one source come in order."""

    def gap(self, gap: Gap, source: SourceInfo) -> None:
        """No frames came from a live source for a while; called between the packets before and after."""

    def end(self, source: SourceInfo) -> None:
        """The source has ended; called once after its last packet."""

    def checkpoint(self) -> Mapping[str, int]:
        """Bytes in each file that sources share, by its path below ``out``: what a later run may cut it back to.

        Asked for between two sources, when all that was written has been handed to the operating system.
        """
        return {}

    def files(self) -> list[str]:
        """Paths below ``out`` of files that are one source's alone and came to be since this was last asked.

        Asked for after :meth:`end`, where a run keeps a manifest (``context.keep``).
        """
        return []

    def join(self, tables: Mapping[str, bytes]) -> None:
        """Take over what another process, with the same output, appended to the files of :meth:`checkpoint`."""

    def close(self, aborted: bool) -> list[Path]:
        """The run is over; returns what it leaves, for the summary.

        ``aborted``: an error ended it. What is not whole then keeps the name it had while it was written.
        """
        return []
