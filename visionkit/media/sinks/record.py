"""``record``: cameras on disk, in files of a fixed length or in clips of what happened, the oldest ones deleted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import Field

from visionkit.data import Image, Packet
from visionkit.errors import SinkError
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.clips import Recorder, Timing
from visionkit.media.sinks.encoders import Speed
from visionkit.media.sinks.media import shown
from visionkit.media.sinks.retention import Retention
from visionkit.media.sinks.video import VideoSettings, i420
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import Gap, SourceInfo

STILLS = "record: pictures are not recorded, only videos, cameras and streams"


class RecordParams(SinkParams):
    path: paths.SourcePath = Field(
        Template.parse("recordings/{source.stem}"),
        description="The folder of each source's files, below the output folder. Nothing else should lie in it.",
    )
    seconds: float = Field(60, ge=1, le=86_400, description="A new file begins after so long.")
    before: float = Field(5, ge=0, le=60, description="With `when`: a clip begins so many seconds before it held.")
    after: float = Field(5, ge=0, le=3600, description="With `when`: a clip ends so many seconds after it last held.")
    keep_hours: float | None = Field(None, gt=0, description="Delete files of a source that are older.")
    keep_mb: float | None = Field(
        10_000, gt=0, description="Delete the oldest files of a source when all take more megabytes; null for no limit."
    )
    speed: Speed = Field("default", description="fast: larger files in less time; small: the other way round.")
    quality: int | None = Field(None, ge=1, le=100, description="1 to 100; 75 if not given.")


class RecordSink(Sink[RecordParams]):
    """H.264 files named after the time they begin (UTC), in a folder for each source, deleted by age and size.

    With `when` a clip begins `before` seconds ahead of the moment at which it holds, and ends `after` seconds behind
    the last one: what came before is encoded and kept in memory until then. A gap or a change of size begins a new
    file. Only files whose names are such times are ever deleted.
    """

    takes = "picture"
    takes_all = True
    wall: Callable[[], float] = staticmethod(time.time)

    def __init__(self, params: RecordParams) -> None:
        super().__init__(params)
        self._lock = threading.Lock()
        self._recorders: dict[str, Recorder] = {}
        self._folders: list[Path] = []

    def path_of(self, source: SourceInfo) -> Path:
        """The folder of a source."""
        return self._out / paths.rendered(self.params.path, source)

    def check(self, context: SinkContext, sources: Any) -> None:
        self._out = context.out
        owners: dict[Path, str] = {}
        for info in sources:
            folder = self.path_of(info)
            if (other := owners.setdefault(folder, info.name)) != info.name:
                message = f"recordings of {other} and {info.name} would lie in one folder: {folder}"
                raise SinkError(message, help='use a placeholder that tells them apart, e.g. "{source.relpath}"')

    def open(self, context: SinkContext) -> None:
        self._out, self._report = context.out, context.report
        threads = int(context.settings.get("threads", 0))
        self._settings = VideoSettings("h264", self.params.speed, self.params.quality, threads)

    def prepare(self, packet: Packet, source: SourceInfo) -> Any:
        image = shown(packet)
        return None if image is None or source.kind == "image" else i420(image)

    def write(self, packet: Packet, source: SourceInfo, prepared: Any) -> None:
        image = shown(packet)
        if source.kind == "image":
            self._report(STILLS)
        elif isinstance(image, Image) and prepared is not None:
            wanted = bool(packet.values.get("when", True))
            self._recorder(source).write(prepared, packet.pts or Fraction(0), packet.key.session, wanted)

    def gap(self, gap: Gap, source: SourceInfo) -> None:
        if source.name in self._recorders:
            self._recorders[source.name].cut()

    def end(self, source: SourceInfo) -> None:
        with self._lock:
            recorder = self._recorders.pop(source.name, None)
        if recorder is not None:
            recorder.cut()

    def close(self, aborted: bool) -> list[Path]:
        errors = []
        while self._recorders:
            try:
                self._recorders.popitem()[1].cut()
            except SinkError as error:  # the others are finished all the same
                errors.append(error)
        if errors:
            raise errors[0]
        return [folder for folder in self._folders if folder.is_dir()]

    def _recorder(self, source: SourceInfo) -> Recorder:
        with self._lock:
            if source.name not in self._recorders:
                params, folder = self.params, self.path_of(source)
                keep = Retention(folder, params.keep_hours, params.keep_mb)
                timing = Timing(*(Fraction(s) for s in (params.seconds, params.before, params.after)))
                self._recorders[source.name] = Recorder(folder, self._settings, timing, keep, self.wall)
                self._folders.append(folder)
            return self._recorders[source.name]
