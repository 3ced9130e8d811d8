"""The contract of inputs: a source yields frames; the engine decides when to take the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Literal, Protocol, runtime_checkable

from visionkit.data import Image
from visionkit.frozen import Frozen


class SourceInfo(Frozen):
    """One image file, video or camera.

    Attributes:
        name: unique in the run; what tables print in the column ``source``.
        kind: how outputs treat it: a picture gets a picture, a video or a live stream a video.
        path: the file, or the URL without credentials.
        relpath: the path below the folder that was given, with forward slashes; outputs mirror it.
        width, height: pixels after EXIF and rotation; None until known.
        fps: nominal frames per second, for display only: timing comes from ``Frame.pts``.
        frames: how many frames there are, if known.
        audio: True if an output can copy audio from ``path``.
        variant: which of several runs of one file through the pipeline, from 0; ``name`` and ``relpath`` say it too.
    """

    name: str
    kind: Literal["image", "video", "live"]
    path: str | None = None
    relpath: str = ""
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    frames: int | None = None
    audio: bool = False
    variant: int = 0

    @property
    def fields(self) -> dict[str, object]:
        """What path templates may use as ``{source.…}``."""
        path = self.relpath or self.name
        folder, _, last = path.rpartition("/")
        stem, dot, ext = last.rpartition(".")
        if not (stem and dot and ext):
            stem, ext = last, ""
        return {
            "name": self.name,
            "relpath": path,
            "stem": stem,
            "ext": ext,
            "folder": folder,
            "kind": self.kind,
        }


class Frame(Frozen):
    """One frame on offer. ``load`` decodes it, in whichever worker asks first; it is called at most once.

    Attributes:
        info: the source it belongs to.
        index: counts the source's frames from 0, dropped and unreadable ones too.
        load: returns the picture, or raises :class:`SourceError` (the packet becomes a tombstone).
        nbytes: bytes the decoded picture takes (an estimate will do): what the credit is measured in.
        pts: exact seconds since the start of the source, None for pictures.
        session: grows by one at a gap, a change of size or of format.
        captured: when it came in, on the clock of ``time.monotonic``; None where the time says nothing (files).
    """

    info: SourceInfo
    index: int
    load: Callable[[], Image]
    nbytes: int
    pts: Fraction | None = None
    session: int = 0
    captured: float | None = None


class Gap(Frozen):
    """A live source was away: between two of its frames, or at its end. Every table gets a row of it.

    Attributes:
        info: the source.
        index: that of the frame which comes next.
        pts: when the last frame before it came, in seconds since the start of the source.
        seconds: how long no frame came.
        session: the one that begins after it.
        reason: why, without credentials.
    """

    info: SourceInfo
    index: int
    pts: Fraction
    seconds: float
    session: int
    reason: str


class End:
    """All frames of the sources before it have come: said by a source of files that may pause before the next one."""


END = End()


class Connection(Frozen):
    """What a live source is doing.

    Attributes:
        state: "connecting", "up" (frames come), "waiting" (until it is tried again), "ended".
        since: when that began, on the clock of ``time.monotonic``.
        reason: why it is not up, without credentials.
        gaps: how often it was lost.
    """

    state: Literal["connecting", "up", "waiting", "ended"] = "connecting"
    since: float = 0.0
    reason: str = ""
    gaps: int = 0


class Source(Protocol):
    """An ordered stream of frames of one or many :class:`SourceInfo`: a folder, a video, a camera.

    ``live`` streams never wait: when the engine has no credit, the newest frame replaces the waiting one.
    ``infos`` lists what will come where that is known before anything is decoded (files), otherwise it is None.
    """

    name: str
    live: bool
    infos: Sequence[SourceInfo] | None

    def frames(self) -> Iterator[Frame | Gap | End]:
        """Opens the input, yields its frames in order, and closes it when done or when the iterator is closed.

        A source that cannot be opened yields one frame whose ``load`` raises, so that the run goes on without it.
        """


@runtime_checkable
class Interruptible(Protocol):
    """A live source that can be told, from another thread, that no more frames are wanted."""

    @property
    def connection(self) -> Connection:
        """What it is doing now."""

    def interrupt(self) -> None:
        """Ends :meth:`Source.frames` within a fraction of a second, whatever the device does."""
