"""Small pictures of what a run wrote, inside the page."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from visionkit.data import Image
from visionkit.errors import VisionkitError
from visionkit.expr import Template
from visionkit.lazy import av, cv2, np
from visionkit.media.sinks.media import MediaParams, MediaSink
from visionkit.media.sources.kinds import kind_of
from visionkit.media.sources.pictures import load_picture
from visionkit.runtime.manifest import Row
from visionkit.stage.sink import SinkContext
from visionkit.stage.source import SourceInfo

SIDE = 640
QUALITY = 80


def picture_of(out: Path, row: Row, templates: Sequence[str]) -> dict[str, Any] | None:
    """The picture of an input as ``media`` wrote it, else the input itself; None where neither can be read."""
    kind = kind_of(row.path)
    for path in (*written(out, row, kind, templates), Path(row.path)):
        if path.is_file():
            try:
                image = load_picture(str(path)) if kind == "image" else first_frame(path)
            except VisionkitError:
                continue
            if image is not None:
                return {"name": row.name, "kind": kind, "data": encoded(image)}
    return None


def written(out: Path, row: Row, kind: Any, templates: Sequence[str]) -> list[Path]:
    """Where outputs with these path templates put the picture or video of an input."""
    found = []
    for text in templates:
        sink = MediaSink(MediaParams.model_validate({"path": Template.parse(text)}))
        sink.open(SinkContext(out))
        found.append(sink.path_of(SourceInfo(row.name, kind, row.path, row.name)))
    return found


def first_frame(path: Path) -> Image | None:
    """A frame of a video, two seconds in where it is as long."""
    try:
        with av.open(str(path)) as container:
            if container.duration and container.duration > 4_000_000:
                container.seek(2_000_000)
            frame = next(container.decode(video=0), None)
            return None if frame is None else Image(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    except (av.error.FFmpegError, OSError, IndexError):
        return None


def encoded(image: Image) -> str:
    """A JPEG of at most 640 pixels a side, as a data address."""
    pixels, scale = image.bgr(), SIDE / max(image.width, image.height)
    if scale < 1:
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    return "data:image/jpeg;base64," + base64.b64encode(bytes(data)).decode()
