"""Base of outputs with a file of their own for every picture and every frame of a video."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from visionkit.data import Image, Packet
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import file_for, folder_of, frame_of
from visionkit.media.sinks.own import Own
from visionkit.media.sinks.part import finish, write_whole
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import SourceInfo


class PerFrameParams(SinkParams):
    path: paths.SourcePath = Field(
        Template.parse("files/{source.folder}/{source.stem}.txt"),
        description="Where the file of each picture goes, below the output folder; frames of a video get their index.",
    )


P = TypeVar("P", bound=PerFrameParams)


class PerFrameSink(Sink[P]):
    """Writes what :meth:`data` returns; files appear under their name when they are whole."""

    takes = "frames"

    @abstractmethod
    def data(self, packet: Packet, frame: Image, source: SourceInfo) -> bytes | None:
        """What the file of a packet holds; None for no file."""

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        self._configure(context)
        help = 'keep the extensions apart, e.g. "{source.stem}_{source.ext}"'
        paths.check_paths(context.out, context.overwrite, sources, lambda info: self.path_of(info, 0), help)

    def open(self, context: SinkContext) -> None:
        self._configure(context)

    def _configure(self, context: SinkContext) -> None:
        self._out = context.out
        self._names = context.names
        self._own = Own(context)

    def path_of(self, source: SourceInfo, index: int) -> Path:
        return self._out / file_for(self.params.path, source, index)

    def write(self, packet: Packet, source: SourceInfo, prepared: object) -> None:
        frame = frame_of(packet)
        data = None if packet.is_tombstone or frame is None else self.data(packet, frame, source)
        if data is not None:
            path = self.path_of(source, packet.key.index)
            write_whole(path, data)
            finish(path, sync=False)
            self._own.add(path)

    def files(self) -> list[str]:
        return self._own.taken()

    def close(self, aborted: bool) -> list[Path]:
        folder = self._out / folder_of(self.params.path)
        return [folder] if folder.exists() else []
