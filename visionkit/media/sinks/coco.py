"""``coco``: objects as COCO JSON, which pycocotools, FiftyOne and most training code read."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from visionkit.data import Detections, Packet
from visionkit.expr import Template
from visionkit.lazy import np
from visionkit.media.sinks import paths
from visionkit.media.sinks.objects import detections_of, frame_of
from visionkit.media.sinks.rows import to_json
from visionkit.media.sinks.spool import SpoolSink, lines
from visionkit.media.sinks.tables import TableParams
from visionkit.stage.source import SourceInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray


class CocoParams(TableParams):
    path: paths.SourcePath = Field(Template.parse("coco.json"), description="The file, below the output folder.")


class CocoSink(SpoolSink[CocoParams]):
    """All objects of a run in one COCO file: images, annotations, categories.

    Boxes are ``[x, y, width, height]`` in source-frame pixels. Masks are compressed RLE, otherwise outlines are
    polygons. Keypoints are ``x, y, v`` with v 2 where they were found and 0 where their score is 0. ``score`` and
    ``track_id`` are kept. A frame of a video is an image called ``walk.mp4#12``. Ids count from 1 in the order of the
    run, categories in the order of their first object. (Lin et al., Microsoft COCO, 2014.)
    """

    takes = "frames"

    def text(self, packet: Packet, source: SourceInfo) -> str:
        frame = frame_of(packet)
        if frame is None:
            return ""
        name = source.relpath or source.name
        title = name if source.kind == "image" else f"{name}#{packet.key.index}"
        image = {"file_name": title, "width": frame.width, "height": frame.height}
        found = [row for objects in detections_of(packet, self._names, frame) for row in object_rows(objects)]
        return to_json({"image": image, "objects": found}) + "\n"

    def assemble(self, rows: Path, target: Path) -> None:
        categories: dict[str, dict[str, Any]] = {}
        with target.open("w", encoding="utf-8") as file:
            file.write('{"info": {"description": "made by visionkit"},\n"images": [\n')
            _join(file, ({"id": i, **row["image"]} for i, row in enumerate(lines(rows), 1)))
            file.write('\n],\n"annotations": [\n')
            _join(file, _numbered(rows, categories))
            file.write(f'\n],\n"categories": {to_json(list(categories.values()))}}}\n')


def _numbered(rows: Path, categories: dict[str, dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Annotations with their ids; fills ``categories`` on the way."""
    count = 0
    for image, row in enumerate(lines(rows), 1):
        for found in row["objects"]:
            count += 1
            name = found.pop("category")
            category = categories.setdefault(name, {"id": len(categories) + 1, "name": name})
            points = len(found.get("keypoints", ())) // 3
            if points and "keypoints" not in category:
                category |= {"keypoints": [f"point {i}" for i in range(1, points + 1)], "skeleton": []}
            yield {"id": count, "image_id": image, "category_id": category["id"], **found}


def _join(file: Any, rows: Iterable[dict[str, Any]]) -> None:
    for i, row in enumerate(rows):
        file.write((",\n" if i else "") + json.dumps(row, ensure_ascii=False))


def object_rows(objects: Detections) -> Iterable[dict[str, Any]]:
    """COCO's row of each object, in source-frame pixels, with ``category`` by name."""
    for i, (x1, y1, x2, y2) in enumerate(objects.xyxy.astype(float).tolist()):
        row: dict[str, Any] = {
            "category": str(objects.class_names[objects.class_id[i]]),
            "bbox": [round(v, 2) for v in (x1, y1, x2 - x1, y2 - y1)],
            "area": round((x2 - x1) * (y2 - y1), 2),
            "iscrowd": 0,
            "score": round(float(objects.score[i]), 4),
        }
        if objects.masks is not None:
            mask = objects.masks.items[i].rasterised(objects.canvas)
            row |= {"segmentation": rle(mask), "area": int(mask.sum())}
        elif objects.polygons is not None:
            row["segmentation"] = [np.round(objects.polygons[i].astype(float), 2).ravel().tolist()]
        if objects.keypoints is not None:
            row |= _keypoints(objects.keypoints[i])
        if objects.track_id is not None:
            row["track_id"] = int(objects.track_id[i])
        yield row


def _keypoints(points: NDArray[np.float32]) -> dict[str, Any]:
    seen = points[:, 2] > 0
    flat = [
        [round(float(x), 2), round(float(y), 2), 2] if v else [0, 0, 0]
        for (x, y, _), v in zip(points, seen, strict=True)
    ]
    return {"keypoints": [value for point in flat for value in point], "num_keypoints": int(seen.sum())}


def rle(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask (H, W) as COCO's compressed run lengths, column by column, beginning with zeros."""
    flat = np.concatenate([[False], mask.T.ravel(), [not mask.T.ravel()[-1]]]) if mask.size else np.zeros(2, bool)
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    counts = np.diff(np.concatenate([[0], edges])).tolist()
    return {"size": [int(n) for n in mask.shape], "counts": _letters(counts)}


def _letters(counts: list[int]) -> str:
    """Run lengths as text: six bits a letter, from the third on the difference to the one before last (maskApi.c)."""
    text = []
    for i, value in enumerate(counts):
        rest = value - counts[i - 2] if i > 2 else value
        more = True
        while more:
            bits = rest & 0x1F
            rest >>= 5
            more = rest != (-1 if bits & 0x10 else 0)
            text.append(chr((bits | 0x20 if more else bits) + 48))
    return "".join(text)
