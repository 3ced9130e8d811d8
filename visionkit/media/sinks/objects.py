"""What outputs for training data have in common: objects in source-frame pixels, names of files, classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from visionkit.data import ABSENT, Detections, Image, Packet, visible_on
from visionkit.expr import Template
from visionkit.media.sinks import paths
from visionkit.media.sinks.rows import lifted, results_of
from visionkit.stage.source import SourceInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray


def detections_of(packet: Packet, names: Sequence[str], picture: Image | None = None) -> Iterator[Detections]:
    """Every result with objects that has a place in the frame, in source-frame pixels.

    With a ``picture`` that is not the frame itself, in its pixels, cut to it.
    """
    for _, value in results_of(packet, names):
        if value is ABSENT or not isinstance(value, Detections):
            continue
        found, canvas = lifted(value)
        if canvas is not None:
            if picture is not None and value.canvas is picture.canvas:
                yield value
        elif picture is None or picture.canvas.is_frame:
            yield found
        elif picture.canvas.to_frame is not None:
            yield visible_on(value, picture.canvas)


def frame_of(packet: Packet) -> Image | None:
    """The picture that results are written for, by default the bare frame; None where it could not be decoded."""
    frame = packet.values.get("source", ABSENT)
    return frame if isinstance(frame, Image) else None


def file_for(template: Template, source: SourceInfo, index: int) -> PurePosixPath:
    """A path of its own for a picture, or for each frame of a video: ``walk_000012.txt``."""
    path = PurePosixPath(paths.rendered(template, source))
    return path if source.kind == "image" else path.with_stem(f"{path.stem}_{index:06d}")


def folder_of(template: Template) -> PurePosixPath:
    """The part of a path that no placeholder is in."""
    fixed = template.text.partition("{")[0]
    return PurePosixPath(fixed.rpartition("/")[0])


def safe_name(name: str) -> str:
    """A class name as a file may be called."""
    text = "".join(c if c.isalnum() or c in " -_.()" else "_" for c in name).strip(" .")
    return text or "unnamed"


def clipped(boxes: NDArray[Any], width: int, height: int) -> NDArray[Any]:
    """Boxes (N, 4) cut to the frame."""
    from visionkit.lazy import np

    return np.clip(boxes, 0, [width, height, width, height])


def refuse_all(out: Path, overwrite: bool, *found: Path) -> None:
    """Raises SinkError where a folder of an earlier run is there already and must not be replaced."""
    paths.refuse_existing([out / path for path in found if (out / path).exists()], overwrite)
