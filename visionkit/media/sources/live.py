"""Webcams and network streams: one live source each, kept up, with times of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from fractions import Fraction

from visionkit.errors import SourceError
from visionkit.media.redact import redact
from visionkit.media.sources.capture import Picture, now
from visionkit.media.sources.options import SourceOptions
from visionkit.media.sources.reconnect import Link, Loss, Patience
from visionkit.media.sources.video import failing
from visionkit.stage.source import Connection, Frame, Gap, SourceInfo

_NAMED = re.compile(r"([A-Za-z][\w-]*)=(.+)", re.DOTALL)
_EARLY = Fraction(1, 4)  # of the step between two frames that are taken: so much too early is in time


class LiveSource:
    """One camera or stream. ``pts`` is the time since the first frame came, so it survives reconnects and clock jumps.

    Args:
        name: what tables print; no credentials.
        link: its connections.
        sampled: ``options.fps`` is for us to keep; without, the device was asked for it.
        path: the address without credentials.
    """

    live = True

    def __init__(
        self, name: str, link: Link, options: SourceOptions, path: str | None = None, sampled: bool = False
    ) -> None:
        self.name = name
        self._link = link
        self._options = options
        self._step = 1 / Fraction(options.fps).limit_denominator(1001) if sampled and options.fps else None
        self._info = SourceInfo(name, "live", path, _file_name(name), fps=options.fps)
        self.infos: Sequence[SourceInfo] | None = (self._info,)

    @property
    def connection(self) -> Connection:
        """What it is doing now."""
        return self._link.state

    @property
    def file_name(self) -> str:
        """What outputs call it."""
        return self._info.relpath

    def interrupt(self) -> None:
        """See :class:`~visionkit.stage.source.Interruptible`."""
        self._link.interrupt()

    def renamed(self, name: str) -> LiveSource:
        """The same under another name."""
        found = copy(self)
        found.name = name
        found._link = replace(self._link, name=name)
        found._info = replace(self._info, name=name, relpath=_file_name(name))
        found.infos = (found._info,)
        return found

    def frames(self) -> Iterator[Frame | Gap]:
        """Frames as they come; a :class:`Gap` where none came for a while."""
        return _Timeline(self._info, self._options, self._step).frames(self._link)


class _Timeline:
    """Numbers, times and sessions of the frames of one source."""

    def __init__(self, info: SourceInfo, options: SourceOptions, step: Fraction | None) -> None:
        self._info, self._step = info, step
        self._limit, self._to = options.limit, options.to
        self._index = self._session = 0
        self._first = self._last = 0.0
        self._size: tuple[int, int] | None = None
        self._due: Fraction | None = None
        self._lost = ""

    def frames(self, link: Link) -> Iterator[Frame | Gap]:
        try:
            for item in link.pictures_and_losses():
                if isinstance(item, Loss):
                    self._lost = item.reason
                    continue
                if self._to is not None and self._index and item.captured - self._first >= self._to:
                    return
                yield from self._frame(item)
                if self._index == self._limit:
                    return
            yield from self._gap(now())
        except SourceError as error:
            yield from self._gap(now())
            named = SourceError(f"{self._info.name}: {error.message}")
            yield Frame(self._info, self._index, failing(named), 0, session=self._session)

    def _frame(self, picture: Picture) -> Iterator[Frame | Gap]:
        size = (picture.width, picture.height)
        if self._size is None:
            self._first = picture.captured
            self._info = replace(self._info, width=picture.width, height=picture.height)
        yield from self._gap(picture.captured)
        self._session += self._size not in (None, size)
        self._size, self._last = size, picture.captured
        pts = self._pts(picture.captured)
        if self._takes(pts):
            yield Frame(
                self._info, self._index, picture.load, size[0] * size[1] * 3, pts, self._session, picture.captured
            )
            self._index += 1

    def _gap(self, until: float) -> Iterator[Gap]:
        """The gap that ends now, if there was one."""
        if self._lost:
            self._session += 1
            yield Gap(self._info, self._index, self._pts(self._last), until - self._last, self._session, self._lost)
        self._lost = ""

    def _pts(self, captured: float) -> Fraction:
        return Fraction(round((captured - self._first) * 1_000_000), 1_000_000)

    def _takes(self, pts: Fraction) -> bool:
        """At most so many frames a second as were asked for."""
        if self._step is None:
            return True
        if self._due is not None and pts < self._due - self._step * _EARLY:
            return False
        self._due = pts + self._step if self._due is None else max(self._due, pts - self._step) + self._step
        return True


def distinct(lanes: Iterable[LiveSource]) -> list[LiveSource]:
    """The lanes with a name and a file name of their own each: the second ``camera-0`` is ``camera-0#2``."""
    found: list[LiveSource] = []
    for lane in lanes:
        taken, number, unique = {other.file_name for other in found}, 1, lane
        while unique.file_name in taken:
            number += 1
            unique = lane.renamed(f"{lane.name}#{number}")
        found.append(unique)
    return found


def live_source(text: str, options: SourceOptions) -> LiveSource | None:
    """A camera or stream by its number, device or address; None for the name of a file.

    ``door=rtsp://10.0.0.2/live`` gives it the name that outputs and tables use.

    Raises:
        UsageError: an address of another kind.
    """
    named = _NAMED.fullmatch(text)
    if named is not None and (lane := _lane(named[2], options)) is not None:
        return lane.renamed(named[1])
    return _lane(text, options)


def _lane(text: str, options: SourceOptions) -> LiveSource | None:
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if text.isdecimal():
        return camera(int(text), options)
    if text.startswith("/dev/video"):
        return camera(text, options)
    return stream(text, options) if scheme.isalnum() and scheme != "file" else None


def camera(number: int | str, options: SourceOptions) -> LiveSource:
    """A webcam by number or device path, through OpenCV; one that is not there is an error at once."""
    from visionkit.media.sources.camera import opencv_pictures

    name = f"camera-{number}" if isinstance(number, int) else number
    link = Link(name, lambda: opencv_pictures(number, options), patience(options), retry=False)
    return LiveSource(name, link, options, path=name)


def stream(url: str, options: SourceOptions) -> LiveSource:
    """An RTSP or HTTP stream, or a webcam as ``v4l2:///dev/video0``, through PyAV.

    Raises:
        UsageError: another scheme.
    """
    from visionkit.media.sources.address import listens
    from visionkit.media.sources.camera import DEVICES, device_pictures
    from visionkit.media.sources.stream import check_scheme, stream_pictures

    clean = redact(url)
    if url.partition("://")[0] in DEVICES:
        link = Link(clean, lambda: device_pictures(url, options), patience(options), retry=False)
        return LiveSource(clean, link, options, path=clean)
    check_scheme(url)
    patient = patience(options)
    link = Link(clean, lambda: stream_pictures(url, options.threads, patient.stall), patient, lambda: listens(url))
    return LiveSource(clean, link, options, clean, sampled=True)


def patience(options: SourceOptions) -> Patience:
    """How long to wait, as the options say."""
    return Patience() if options.stall is None else Patience(stall=options.stall)


def _file_name(name: str) -> str:
    """``name`` as a file name: ``rtsp://***@10.0.0.2:554/live`` → ``10-0-0-2-554-live``."""
    rest = name.partition("://")[2] or name
    kept = [c if c.isalnum() or c == "_" else "-" for c in rest.rpartition("@")[2]]
    return "-".join(filter(None, "".join(kept).split("-"))) or "live"
