"""``media``: pictures and videos as the source has them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field

from visionkit.data import ABSENT, Image, Packet
from visionkit.errors import SinkError
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.encoders import CodecName, Speed
from visionkit.media.sinks.own import Own
from visionkit.media.sinks.part import finish, write_whole
from visionkit.media.sinks.pictures import encode_picture, writable
from visionkit.media.sinks.video import VideoFile, VideoSettings, container_for, i420, settings_from, track_of
from visionkit.media.sources.kinds import suffix
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import SourceInfo

LISTED = 20  # files named in the summary; more are a folder
COLLISION_HELP = 'keep the extensions apart, e.g. path: "{source.folder}/{source.stem}_{source.ext}"'


class MediaParams(SinkParams):
    path: paths.SourcePath = Field(
        Template.parse("{source.relpath}"),
        description="Where each source's picture or video goes, below the output folder. An extension written here is "
        "kept; one of the source is kept for pictures and becomes .mp4 for videos.",
    )
    codec: CodecName | None = Field(None, description="Video codec; h264 plays everywhere.")
    speed: Speed = Field("default", description="fast: larger files in less time; small: the other way round.")
    quality: int | None = Field(
        None, ge=1, le=100, description="1 to 100; 95 for JPEG and WebP and 75 for video if not given."
    )


class _Encoded(NamedTuple):
    """What ``prepare`` hands to ``write``: the path of a picture whose part is finished, or a frame ready to encode."""

    path: Path | None = None
    image: Image | None = None
    frame: Any = None


class MediaSink(Sink[MediaParams]):
    """The picture that the pipeline drew: a picture for a picture, a video for a video or a camera.

    Pictures keep their format where it can be written (otherwise PNG), JPEG at quality 95. Videos are H.264 in MP4 that
    browsers play, with the times of the source and its audio. A packet without a drawn picture shows the bare frame. A
    video shows a failed frame bare, or black where a stage blurs or pixelates; a picture that failed is not written.
    """

    takes = "picture"

    def __init__(self, params: MediaParams) -> None:
        super().__init__(params)
        self._lock = threading.Lock()
        self._videos: dict[str, _Recording] = {}
        self._written: list[Path] = []
        self._count = 0

    def path_of(self, source: SourceInfo) -> Path:
        """The file of a source (its first one, if it is a video that comes in several sessions)."""
        text = paths.rendered(self.params.path, source)
        explicit = paths.extension(self.params.path)
        if source.kind == "image":
            return self._out / paths.with_extension(text, writable(explicit or suffix(text)))
        wanted = container_for(Path(f"x.{explicit}"))
        fits = wanted is not None and self._settings.codec in wanted.codecs
        return self._out / paths.with_extension(text, explicit if fits else "mp4")

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        self._configure(context)
        paths.check_paths(context.out, context.overwrite, sources, self.path_of, COLLISION_HELP)

    def open(self, context: SinkContext) -> None:
        self._configure(context)

    def _configure(self, context: SinkContext) -> None:
        self._out = context.out
        self._overwrite = context.overwrite
        self._report = context.report
        self._own = Own(context)
        self._settings = settings_from(self.params, context.settings)

    def prepare(self, packet: Packet, source: SourceInfo) -> _Encoded:
        image = shown(packet)
        if image is None or (packet.failure is not None and source.kind == "image"):
            return _Encoded()
        if source.kind != "image":
            return _Encoded(image=image, frame=i420(image))
        path = self.path_of(source)
        write_whole(path, encode_picture(image, suffix(path.name), self.params.quality))
        return _Encoded(path)

    def write(self, packet: Packet, source: SourceInfo, prepared: _Encoded) -> None:
        if source.kind != "image":
            self._recording(source).write(packet, source, prepared)
        elif prepared.path is not None:
            finish(prepared.path, sync=False)  # a hundred thousand waits for the disk would take longer
            self._note([prepared.path])

    def end(self, source: SourceInfo) -> None:
        with self._lock:
            recording = self._videos.pop(source.name, None)
        if recording is not None:
            self._note(recording.close())

    def files(self) -> list[str]:
        return self._own.taken()

    def close(self, aborted: bool) -> list[Path]:
        """A run that was stopped leaves its videos whole up to where it stopped, and a camera's always are."""
        errors = []
        while self._videos:
            try:
                self._note(self._videos.popitem()[1].close(not aborted))
            except SinkError as error:  # the others are finished all the same
                errors.append(error)
        if errors:
            raise errors[0]
        return self._written if self._count <= LISTED else [self._out]

    def _note(self, files: Sequence[Path]) -> None:
        for path in files:
            self._own.add(path)
        with self._lock:
            self._count += len(files)
            self._written += files[: LISTED - len(self._written)]

    def _recording(self, source: SourceInfo) -> _Recording:
        with self._lock:
            if source.name not in self._videos:
                path = self.path_of(source)
                recording = _Recording(path, source, self._settings, self._overwrite, self._report)
                self._videos[source.name] = recording
            return self._videos[source.name]


def shown(packet: Packet) -> Image | None:
    """The drawn picture, otherwise the bare frame, None if there is neither."""
    for name in ("picture", "source"):
        value = packet.values.get(name, ABSENT)
        if isinstance(value, Image):
            return value
    return None


class _Recording:
    """The video files of one source: a new one for each session."""

    def __init__(
        self, path: Path, info: SourceInfo, settings: VideoSettings, overwrite: bool, report: Callable[[str], None]
    ) -> None:
        self._path, self._settings, self._overwrite = path, settings, overwrite
        self._is_live = info.kind == "live"
        self._track = track_of(info, report)
        self._file: VideoFile | None = None
        self._session = 0
        self._finished: list[Path] = []

    def write(self, packet: Packet, source: SourceInfo, prepared: _Encoded) -> None:
        pts = packet.pts or Fraction(0)
        if self._file is None or packet.key.session != self._session:
            self._next_file(packet.key.session, source, pts)
        if self._file is not None and prepared.image is not None:
            self._file.write(prepared.image, prepared.frame, pts)

    def close(self, whole: bool = True) -> list[Path]:
        try:
            self._finish_file(whole or self._is_live)
        finally:
            if self._track is not None:
                self._track.close()
        return self._finished

    def _next_file(self, session: int, source: SourceInfo, begin: Fraction) -> None:
        self._finish_file()
        number = len(self._finished) + 1
        path = self._path if number == 1 else self._path.with_suffix(f".{number}{self._path.suffix}")
        if number > 1:  # the first one was checked before the run
            paths.refuse_existing([path] if path.exists() else [], self._overwrite)
        self._session = session
        self._file = VideoFile(path, source, self._settings, self._track, begin)

    def _finish_file(self, whole: bool = True) -> None:
        if self._file is not None and (path := self._file.close(whole)) is not None:
            self._finished.append(path)
        self._file = None
