"""``crops``: every object cut out, in a folder for each class, as trainers of classifiers read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import Field

from visionkit.data import Packet
from visionkit.expr import Template
from visionkit.lazy import np
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import detections_of, frame_of, safe_name
from visionkit.media.sinks.own import Own
from visionkit.media.sinks.part import finish, write_whole
from visionkit.stage.sink import Sink, SinkContext, SinkParams
from visionkit.stage.source import SourceInfo


class CropsParams(SinkParams):
    path: paths.SourcePath = Field(Template.parse("crops"), description="The folder, below the output folder.")
    pad: float = Field(0.0, ge=0, le=1, description="Margin on each side, as a share of the box.")
    format: str = Field("jpg", pattern="^(jpg|png|webp)$", description="jpg, png or webp.")


class CropsSink(Sink[CropsParams]):
    """``crops/<class>/<source>_<index>_<object>.jpg`` from the bare frame.

    Boxes are rounded outwards and cut to the frame.
    """

    takes = "frames"

    def check(self, context: SinkContext, sources: Sequence[SourceInfo]) -> None:
        self._configure(context)
        if self._folder.exists():
            paths.refuse_existing([self._folder], context.overwrite or context.resume)

    def open(self, context: SinkContext) -> None:
        self._configure(context)

    def _configure(self, context: SinkContext) -> None:
        self._names = context.names
        self._own = Own(context)
        self._folder = context.out / paths.safe(self.params.path.text, "crops")

    def write(self, packet: Packet, source: SourceInfo, prepared: list[tuple[Path, bytes]]) -> None:
        for path, data in prepared:
            write_whole(path, data)
            finish(path, sync=False)
            self._own.add(path)

    def files(self) -> list[str]:
        return self._own.taken()

    def prepare(self, packet: Packet, source: SourceInfo) -> list[tuple[Path, bytes]]:
        from visionkit.data import Image
        from visionkit.media.sinks.pictures import encode_picture

        frame = frame_of(packet)
        if packet.is_tombstone or frame is None:
            return []
        stem = safe_name((source.relpath or source.name).replace("/", "_"))
        made, count = [], 0
        for objects in detections_of(packet, self._names, frame):
            for i, (x1, y1, x2, y2) in enumerate(objects.xyxy.astype(float)):
                dx, dy = (x2 - x1) * self.params.pad, (y2 - y1) * self.params.pad
                left, top = max(0, int(np.floor(x1 - dx))), max(0, int(np.floor(y1 - dy)))
                right, bottom = min(frame.width, int(np.ceil(x2 + dx))), min(frame.height, int(np.ceil(y2 + dy)))
                count += 1
                if right > left and bottom > top:
                    crop = Image(np.ascontiguousarray(frame.bgr()[top:bottom, left:right]), "bgr")
                    name = f"{stem}_{packet.key.index:06d}_{count}.{self.params.format}"
                    folder = self._folder / safe_name(str(objects.class_names[objects.class_id[i]]))
                    made.append((folder / name, encode_picture(crop, self.params.format, None)))
        return made

    def close(self, aborted: bool) -> list[Path]:
        return [self._folder] if self._folder.exists() else []
