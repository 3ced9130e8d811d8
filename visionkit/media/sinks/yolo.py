"""``yolo``: a text file for each picture and ``data.yaml``, as Ultralytics and most YOLO trainers read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from visionkit.data import Image, Packet
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import clipped, detections_of
from visionkit.media.sinks.part import finish, write_whole
from visionkit.media.sinks.perframe import PerFrameParams, PerFrameSink
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import SourceInfo

NAMES = "data.yaml"


class YoloParams(PerFrameParams):
    path: paths.SourcePath = Field(
        Template.parse("labels/{source.folder}/{source.stem}.txt"),
        description="Where the text of each picture goes, below the output folder; frames of a video get their index.",
    )
    polygons: bool = Field(False, description="Write outlines, for training segmentation, where objects have them.")
    scores: bool = Field(False, description="End each line with the score.")


class YoloSink(PerFrameSink[YoloParams]):
    """A line for each object: class, then centre and size as shares of the picture, or its outline.

    Classes are numbered as the finder does; those of further finders follow. ``data.yaml`` has their names.
    """

    def open(self, context: SinkContext) -> None:
        super().open(context)
        self._ids: dict[str, int] = {}
        if context.resume and (self._out / NAMES).exists():
            self._ids = {name: i for i, name in enumerate(_names_in(self._out / NAMES))}

    def data(self, packet: Packet, frame: Image, source: SourceInfo) -> bytes:
        rows = []
        for objects in detections_of(packet, self._names, frame):
            self._learn(objects.class_names)
            boxes = clipped(objects.xyxy.astype(float), frame.width, frame.height).tolist()
            for i, (x1, y1, x2, y2) in enumerate(boxes):
                shape = [(x1 + x2) / 2 / frame.width, (y1 + y2) / 2 / frame.height]
                shape += [(x2 - x1) / frame.width, (y2 - y1) / frame.height]
                if self.params.polygons and objects.polygons is not None:
                    shape = (objects.polygons[i] / [frame.width, frame.height]).clip(0, 1).ravel().tolist()
                shape += [float(objects.score[i])] if self.params.scores else []
                number = self._ids[objects.class_names[objects.class_id[i]]]
                rows.append(" ".join([str(number), *(f"{value:.6f}" for value in shape)]) + "\n")
        return "".join(rows).encode()

    def _learn(self, names: tuple[str, ...]) -> None:
        """Numbers for new classes, on disk before the first line that has them."""
        new = [name for name in names if name not in self._ids]
        if new:
            self._ids |= {name: len(self._ids) + i for i, name in enumerate(new)}
            text = "".join(f"  {i}: {json.dumps(name, ensure_ascii=False)}\n" for name, i in self._ids.items())
            write_whole(self._out / NAMES, f"names:\n{text}".encode())
            finish(self._out / NAMES)

    def close(self, aborted: bool) -> list[Path]:
        return [*super().close(aborted), *([self._out / NAMES] if (self._out / NAMES).exists() else [])]


def _names_in(path: Path) -> list[Any]:
    lines = path.read_text("utf-8").splitlines()[1:]
    return [json.loads(line.partition(": ")[2]) for line in lines]
