"""``masks``: a PNG for each picture: the class of every pixel, or the number of the object it belongs to."""

from __future__ import annotations

from pydantic import Field

from visionkit.data import ABSENT, Image, Packet, SemanticMask
from visionkit.expr import Template
from visionkit.lazy import cv2, np
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import detections_of
from visionkit.media.sinks.perframe import PerFrameParams, PerFrameSink
from visionkit.stage.source import SourceInfo


class MasksParams(PerFrameParams):
    path: paths.SourcePath = Field(
        Template.parse("masks/{source.folder}/{source.stem}.png"),
        description="Where the PNG of each picture goes, below the output folder; frames of a video get their index.",
    )


class MasksSink(PerFrameSink[MasksParams]):
    """A grey PNG of the source frame's size, 8 bits, or 16 where there are more than 255 numbers.

    Of a semantic mask the class index. Of objects with masks 1 for the first one, 2 for the second, 0 for none; later
    objects lie on top. A picture with neither has no file.
    """

    def data(self, packet: Packet, frame: Image, source: SourceInfo) -> bytes | None:
        numbers = None
        for name in self._names:
            value = packet.values.get(name, ABSENT)
            if isinstance(value, SemanticMask) and _meets(value, frame):
                numbers = value.on(frame.canvas).ids
        for objects in detections_of(packet, self._names, frame):
            if objects.masks is not None:
                numbers = np.zeros((frame.height, frame.width), np.int32)
                for i, region in enumerate(objects.masks.items, 1):
                    numbers[region.rasterised(objects.canvas)] = i
        if numbers is None:
            return None
        kind = np.uint8 if int(numbers.max(initial=0)) < 256 else np.uint16
        return bytes(cv2.imencode(".png", np.asarray(numbers).astype(kind))[1])


def _meets(mask: SemanticMask, frame: Image) -> bool:
    """Whether a mask can be brought onto a picture."""
    return mask.canvas is frame.canvas or None not in (mask.canvas.to_frame, frame.canvas.to_frame)
